//! Real registries.

use crate::server::{ALL, Kind, Server};
use crate::world::{image, open, repository};
use ringshift::model::Digest;
use ringshift::registry::remote::RemoteError;
use ringshift::registry::{Created, Registry, RegistryError};

fn for_each(check: impl Fn(&Server)) {
    for kind in ALL {
        if let Some(server) = Server::start(kind) {
            check(&server);
        }
    }
}

#[test]
fn what_is_pushed_comes_back_through_a_client_of_its_own() {
    for_each(|server| {
        let (api, pushing) = (repository("api"), open(server));
        let large = vec![7; 20 << 20];
        let (manifest, layer) = image(&pushing, &api, &large);
        assert_eq!(
            pushing.create_tag(&api, "1.0.0", &manifest).unwrap(),
            Created::New
        );
        let pulling = open(server);
        assert_eq!(pulling.tags(&api).unwrap(), ["1.0.0"], "{:?}", server.kind);
        let found = pulling.resolve(&api, "1.0.0").unwrap().unwrap();
        assert_eq!(found, manifest);
        let bytes = pulling.manifest(&api, &found.digest).unwrap();
        assert_eq!(Digest::of(&bytes), manifest.digest);
        assert_eq!(pulling.small_blob(&api, &layer, 20 << 20).unwrap(), large);
    });
}

#[test]
fn all_tags_are_listed_over_many_pages_or_at_once() {
    for_each(|server| {
        let (api, registry) = (repository("api"), open(server));
        let (manifest, _) = image(&registry, &api, b"layer");
        let wanted: Vec<String> = (0..1100).map(|n| format!("t{n:04}")).collect();
        std::thread::scope(|scope| {
            for part in wanted.chunks(275) {
                let (api, manifest, registry) = (&api, &manifest, &registry);
                scope.spawn(move || {
                    for tag in part {
                        registry.move_tag(api, tag, manifest).unwrap();
                    }
                });
            }
        });
        assert_eq!(registry.tags(&api).unwrap(), wanted, "{:?}", server.kind);
    });
}

#[test]
fn where_tags_cannot_be_removed_that_is_said() {
    let Some(server) = Server::start(Kind::Second) else {
        return;
    };
    let (api, registry) = (repository("api"), open(&server));
    let (manifest, _) = image(&registry, &api, b"layer");
    registry.move_tag(&api, "users", &manifest).unwrap();
    let error = registry.remove_tag(&api, "users").unwrap_err();
    let RegistryError::Remote(error) = error else {
        panic!("{error}")
    };
    assert!(matches!(*error, RemoteError::Unsupported { .. }), "{error}");
    let said = format!(
        "http://{} cannot remove the tag acme/shop/api:users",
        server.address
    );
    assert_eq!(error.to_string(), said);
}
