//! Images of several platforms by BuildKit: a stage that runs on the machine's own makes what goes into each.

use crate::machine::Machine;
use crate::project::{configure, file, small};
use crate::store::Store;

const MULTI: &str = "\
FROM --platform=$BUILDPLATFORM acme/shop/busybox AS made
ARG TARGETARCH
RUN echo on $(sha256sum /bin/busybox | cat) for $TARGETARCH > /made
FROM scratch
COPY --from=made /made /made
";

/// One index over an image for each platform, each with its labels and with what was made for it.
pub fn an_index_is_built(machine: &Machine) {
    let world = small();
    configure(
        &world,
        "rings: ",
        "platforms: [linux/amd64, linux/arm64]\nrings: ",
    );
    for image in ["lib", "worker"] {
        file(&world, image, MULTI);
    }
    world.commit("Two platforms");
    machine.done(&world, &["build", "worker", "--jobs", "4"]);
    let store = Store::of(&world);
    let made = store.platforms("worker", "0.1.0");
    let names: Vec<&str> = made.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["amd64", "arm64"]);
    for (name, image) in &made {
        assert_eq!(image.labels()["org.opencontainers.image.version"], "0.1.0");
        assert_eq!(image.labels()["dependency.busybox"], "0.1.0");
        let text = image.file("made").unwrap();
        assert!(text.ends_with(&format!(" for {name}\n")), "{text}");
    }
    assert_eq!(machine.builds(&world), 4, "{}", machine.notes(&world));
}
