//! Archives that ADD unpacks, and the layers that come of it.

use super::image::built_of;
use super::world::sources;
use ringshift::model::Digest;
use ringshift::registry::memory::MemoryRegistry;

pub fn run(data: &[u8]) {
    let registry = MemoryRegistry::new();
    let tree = sources().file("a.tar", data);
    let build = |base: &Digest, file: &str| built_of(&registry, base, file, &tree);
    let add = "FROM scratch\nCOPY app /d/app\nADD a.tar /d/\nADD --chown=7:8 --unpack=true a.tar /\n";
    let none = Digest::of(b"");
    let first = match build(&none, add) {
        Ok(first) => first,
        Err(error) => return super::told(&error.to_string()),
    };
    let second = build(&none, add).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(first, second, "building twice gives the same");
    let copied = build(
        &first.descriptor.digest,
        "FROM shop/base\nCOPY --from=shop/base / /\n",
    );
    if let Err(error) = copied {
        panic!("a layer of ours can be read: {error}");
    }
}
