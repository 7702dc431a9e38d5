//! BuildKit and buildah.

use super::canonical::Image;
use super::case::Case;
pub use super::lab::BuildKit;
use super::lab::run;
use std::path::Path;
use std::process::Command;

pub trait Builder {
    fn name(&self) -> &'static str;

    /// Why it cannot be asked.
    fn missing(&self) -> Option<String>;

    /// What an image comes to where this builder leaves things to the runtime.
    fn normal(&self, image: Image) -> Image {
        image
    }

    /// The image of a case; `place` is an empty folder, in which `ours` has built already.
    fn build(&self, case: &Case, place: &Path) -> Result<Image, String>;
}

/// The digest by which `ours` pushed another image of the case.
fn pushed(place: &Path, name: &str) -> String {
    std::fs::read_to_string(place.join(format!("ours-{name}.digest"))).unwrap()
}

impl Builder for BuildKit {
    fn name(&self) -> &'static str {
        "buildkit"
    }

    fn missing(&self) -> Option<String> {
        Self::missing(self)
    }

    fn build(&self, case: &Case, place: &Path) -> Result<Image, String> {
        let context = place.join("buildkit");
        let layout = place.join("buildkit-image");
        case.write(None, &context);
        let mut command = self.command();
        command.args([
            "build",
            "--no-cache",
            "--progress=plain",
            "--frontend=dockerfile.v0",
        ]);
        command.arg("--opt").arg(format!("platform={}", case.platform));
        for local in ["context", "dockerfile"] {
            command
                .arg("--local")
                .arg(format!("{local}={}", context.display()));
        }
        command
            .arg("--output")
            .arg(format!("type=oci,tar=false,dest={}", layout.display()));
        if let Some(target) = &case.target {
            command.arg("--opt").arg(format!("target={target}"));
        }
        for name in case.others() {
            let folder = place.join("store/acme").join(name);
            let digest = pushed(place, name);
            command
                .arg("--oci-layout")
                .arg(format!("{name}={}", folder.display()));
            command
                .arg("--opt")
                .arg(format!("context:{name}=oci-layout://{name}@{digest}"));
        }
        run(&mut command)?;
        Ok(Image::of_layout(&layout, None))
    }
}

pub struct Buildah;

impl Buildah {
    pub fn find() -> Self {
        Self
    }

    fn command(program: &str, place: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("STORAGE_DRIVER", "vfs");
        if program == "buildah" {
            let root = |name: &str| place.join(name).into_os_string();
            command.arg("--root").arg(root("storage"));
            command.arg("--runroot").arg(root("storage-run"));
            command.args(["--storage-driver", "vfs"]);
        }
        command
    }
}

impl Builder for Buildah {
    fn name(&self) -> &'static str {
        "buildah"
    }

    fn missing(&self) -> Option<String> {
        let answer = run(Command::new("buildah").arg("--version"));
        answer.err().map(|error| format!("no buildah: {error}"))
    }

    fn normal(&self, image: Image) -> Image {
        image.with_defaults()
    }

    fn build(&self, case: &Case, place: &Path) -> Result<Image, String> {
        let context = place.join("buildah");
        let layout = place.join("buildah-image");
        case.write(None, &context);
        for name in case.others() {
            let storage = format!(
                "containers-storage:[vfs@{0}/storage+{0}/storage-run]localhost/{name}:latest",
                place.display()
            );
            let from = format!("oci:{}:agreed", place.join("store/acme").join(name).display());
            run(Self::command("skopeo", place).args(["copy", "-q", "--insecure-policy", &from, &storage]))?;
        }
        let mut command = Self::command("buildah", place);
        command.args([
            "bud",
            "-q",
            "--isolation",
            "chroot",
            "--layers=false",
            "--format",
            "docker",
        ]);
        command.args(["--platform", &case.platform, "-t", "localhost/agreement"]);
        command.arg("-f").arg(context.join("Dockerfile"));
        if let Some(target) = &case.target {
            command.args(["--target", target]);
        }
        run(command.arg(&context))?;
        let mut push = Self::command("buildah", place);
        push.args(["push", "-q", "--format", "v2s2", "localhost/agreement"]);
        let folder = format!("dir:{}", layout.display());
        run(push.arg(folder))?;
        Ok(Image::of_folder(&layout))
    }
}
