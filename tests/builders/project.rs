//! A project of eight images, most of them with RUN, over a base that is one of them.

use crate::sandbox::World;

const RINGS: &str = "\
project: acme/shop
rings: [dev, test, users]
images:
  busybox: images/busybox
  tools: images/tools
  lib: images/lib
  api: images/api
  web: images/web
  worker: images/worker
  docs: images/docs
  shop: {context: deploy, root: true}
";

/// Each image with the images that it is built on.
pub const IMAGES: [(&str, &[&str]); 7] = [
    ("busybox", &[]),
    ("tools", &["busybox"]),
    ("lib", &["tools"]),
    ("api", &["lib"]),
    ("web", &["lib", "tools"]),
    ("worker", &["busybox"]),
    ("docs", &[]),
];

/// How many of them have a RUN.
pub const WITH_RUN: usize = 5;

const APPLETS: [&str; 6] = ["sh", "cat", "echo", "sleep", "sha256sum", "test"];

/// A world that takes off what builders mounted in it.
pub struct Place(World);

impl std::ops::Deref for Place {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let root = self.root.path().display().to_string();
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let places = mounts.lines().filter_map(|line| line.split(' ').nth(4));
        let own = places.filter(|place| place.starts_with(&root));
        for place in own.collect::<Vec<_>>().into_iter().rev() {
            let _ = std::process::Command::new("umount")
                .args(["--lazy", place])
                .status();
        }
    }
}

/// The project in one commit, nothing built.
pub fn fresh() -> Place {
    let world = World::empty();
    world.write("rings.yaml", RINGS);
    all(&world);
    world.commit("First");
    Place(world)
}

/// A project of busybox, lib, worker and a root.
pub fn small() -> Place {
    let world = World::empty();
    let lines = RINGS.lines().map(|line| format!("{line}\n"));
    let left_out = ["tools", "api", "web", "docs"].map(|image| format!("  {image}: "));
    let kept = lines.filter(|line| !left_out.iter().any(|start| line.starts_with(start)));
    world.write("rings.yaml", kept.collect::<String>());
    all(&world);
    file(
        &world,
        "lib",
        "FROM acme/shop/busybox\nCOPY part /part\nRUN echo ran; cat /part > /lib\n",
    );
    world.commit("First");
    Place(world)
}

/// Its base is another one in every world, so that no daemon has seen it.
fn all(world: &World) {
    let busybox = ["/bin/busybox", "/usr/bin/busybox"];
    let busybox = busybox.iter().find_map(|path| std::fs::read(path).ok());
    world.write("images/busybox/bin/busybox", busybox.expect("busybox-static"));
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(world.path("images/busybox/bin/busybox"), executable).unwrap();
    for applet in APPLETS {
        world.link(&format!("images/busybox/bin/{applet}"), "busybox");
    }
    world.write(
        "images/busybox/bin/world",
        world.root.path().display().to_string(),
    );
    file(world, "busybox", "FROM scratch\nCOPY bin /bin\nENV PATH=/bin\n");
    world.write("images/tools/tool", "tool\n");
    file(
        world,
        "tools",
        "FROM acme/shop/busybox\nCOPY tool /tool\nRUN echo ran; cat /tool > /tools\n",
    );
    world.write("images/lib/part", "part\n");
    file(
        world,
        "lib",
        "FROM acme/shop/tools\nCOPY part /part\nRUN echo ran; cat /tools /part > /lib\n",
    );
    world.write("images/api/app", "app\n");
    file(
        world,
        "api",
        "FROM acme/shop/lib\nCOPY app /app\nRUN echo ran; cat /lib /app > /api\n",
    );
    file(
        world,
        "web",
        "FROM acme/shop/tools\nCOPY --from=acme/shop/lib /lib /lib\nRUN echo ran; cat /tools /lib > /web\n",
    );
    file(
        world,
        "worker",
        "FROM acme/shop/busybox\nRUN echo ran; echo works > /worker\n",
    );
    world.write("images/docs/manual", "manual\n");
    file(world, "docs", "FROM scratch\nCOPY manual /manual\n");
    world.write("deploy/notes", "notes\n");
    world.write("deploy/Dockerfile", "FROM scratch\nCOPY notes /notes\n");
}

/// Writes the container file of an image.
pub fn file(world: &World, image: &str, text: &str) {
    world.write(format!("images/{image}/Dockerfile"), text);
}

/// Writes more into rings.yaml.
pub fn configure(world: &World, from: &str, to: &str) {
    let rings = std::fs::read_to_string(world.path("rings.yaml")).unwrap();
    assert!(rings.contains(from), "{rings}");
    world.write("rings.yaml", rings.replace(from, to));
}
