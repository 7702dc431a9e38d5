//! Real registries.

use crate::server::{ALL, Kind, Server};
use crate::world::{image, open, repository};
use ringshift::model::Digest;
use ringshift::registry::remote::{Referrer, RemoteError};
use ringshift::registry::{Created, Descriptor, MANIFEST, Registry, RegistryError};
use serde_json::json;

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

#[test]
fn a_push_is_as_many_requests_as_it_needs() {
    for kind in [Kind::Second, Kind::Third] {
        let Some(server) = Server::start(kind) else {
            continue;
        };
        let (api, registry) = (repository("api"), open(&server));
        let (manifest, layer) = image(&registry, &api, b"layer");
        registry.create_tag(&api, "1.0.0", &manifest).unwrap();
        registry.small_blob(&api, &layer, 5).unwrap();
        let requests = server.requests();
        let methods: Vec<&str> = requests
            .iter()
            .filter_map(|request| request.split(' ').next())
            .collect();
        // Two blobs, a manifest, a tag that is looked for before and after, a blob.
        let wanted = ["POST", "PUT", "POST", "PUT", "PUT", "HEAD", "PUT", "HEAD", "GET"];
        assert_eq!(methods, wanted, "{requests:#?}");
    }
}

#[test]
fn what_refers_to_an_image_is_found_with_the_api_and_by_the_fallback_tag() {
    for_each(|server| {
        let (api, registry) = (repository("api"), open(server));
        let (subject, _) = image(&registry, &api, b"layer");
        assert_eq!(registry.referrers(&api, &subject.digest).unwrap(), []);
        let config = registry.put_blob(&api, b"{}").unwrap();
        // A registry whose tags cannot be moved keeps the list itself, so both come through everywhere.
        let pushed: Vec<Descriptor> = ["one", "two"]
            .into_iter()
            .map(|name| {
                let manifest = json!({
                    "schemaVersion": 2,
                    "mediaType": MANIFEST,
                    "artifactType": "application/vnd.example",
                    "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config.digest, "size": config.size},
                    "layers": [{"mediaType": "application/vnd.oci.empty.v1+json", "digest": config.digest, "size": config.size}],
                    "subject": {"mediaType": MANIFEST, "digest": subject.digest, "size": subject.size},
                    "annotations": {"name": name},
                });
                registry.put_manifest(&api, MANIFEST, manifest.to_string().as_bytes()).unwrap()
            })
            .collect();
        let mut found = registry.referrers(&api, &subject.digest).unwrap();
        found.sort_by_key(|referrer| pushed.iter().position(|own| *own == referrer.descriptor));
        let wanted = pushed.iter().map(|descriptor| Referrer {
            descriptor: descriptor.clone(),
            artifact_type: "application/vnd.example".into(),
        });
        assert_eq!(found, wanted.collect::<Vec<_>>(), "{:?}", server.kind);
    });
}

#[test]
fn another_client_sees_the_same_registry() {
    for_each(|server| {
        let (api, registry) = (repository("api"), open(server));
        let (manifest, layer) = image(&registry, &api, b"layer");
        registry.create_tag(&api, "1.0.0", &manifest).unwrap();
        let other = oci_distribution::Client::new(oci_distribution::client::ClientConfig {
            protocol: oci_distribution::client::ClientProtocol::Http,
            ..Default::default()
        });
        let text = format!("{}/{api}:1.0.0", server.address);
        let reference: oci_distribution::Reference = text.parse().unwrap();
        let login = oci_distribution::secrets::RegistryAuth::Anonymous;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (seen, digest) = runtime
            .block_on(other.pull_image_manifest(&reference, &login))
            .unwrap();
        assert_eq!(digest, manifest.digest.to_string());
        let mut bytes = Vec::new();
        runtime
            .block_on(other.pull_blob(&reference, &seen.layers[0], &mut bytes))
            .unwrap();
        assert_eq!(
            (bytes.as_slice(), seen.layers[0].digest.clone()),
            (&b"layer"[..], layer.to_string())
        );
        // And what that one pushes is seen here.
        let pushed = runtime.block_on(other.push_blob(
            &reference,
            b"pushed".to_vec(),
            &Digest::of(b"pushed").to_string(),
        ));
        pushed.unwrap();
        assert_eq!(
            registry.small_blob(&api, &Digest::of(b"pushed"), 6).unwrap(),
            b"pushed"
        );
    });
}
