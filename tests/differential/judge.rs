//! What BuildKit makes of a world.

use super::canonical::Image;
use super::lab::{BuildKit, run};
use super::world::{Named, World, write};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// An image that worlds stand on, made once.
struct Base {
    layout: PathBuf,
    digest: String,
}

pub struct Judge {
    buildkit: BuildKit,
    bases: BTreeMap<&'static str, Base>,
    place: tempfile::TempDir,
}

/// Tools, some users, and a folder that all may write to. `see` prints all that a folder shows but
/// times, `envs` the environment but for BuildKit's own random number.
const BASE: &str = r#"FROM scratch
COPY --chmod=755 busybox /bin/busybox
RUN ["/bin/busybox","--install","-s","/bin"]
RUN mkdir -m 1777 /o
COPY <<A /etc/passwd
root:x:0:0:root:/:/bin/sh
app:x:7:8:app:/:/bin/sh
A
COPY <<A /etc/group
root:x:0:
grp:x:9:
A
COPY --chmod=755 <<"E" /bin/see
#!/bin/sh
find "$@" -exec stat -c '%N %a %u:%g' {} + 2>/dev/null | sort
find "$@" -type f -exec md5sum {} + 2>/dev/null | sort
true
E
COPY --chmod=755 <<"E" /bin/envs
#!/bin/sh
env | grep -v TRACE | sort
E
ENV BASE=s
"#;

/// An image with triggers.
const TRIG: &str = "FROM base
ENV V=a.txt TRIG=$BASE
ONBUILD ARG W=x
ONBUILD COPY *.txt $V /trig/
ONBUILD RUN echo $W $V > /o/trig
";

impl Judge {
    /// Makes the images that worlds stand on.
    ///
    /// # Errors
    /// Why there is no BuildKit.
    pub fn start() -> Result<Self, String> {
        let buildkit = BuildKit::find();
        if let Some(reason) = buildkit.missing() {
            return Err(reason);
        }
        let mut judge = Self {
            buildkit,
            bases: BTreeMap::new(),
            place: tempfile::tempdir().unwrap(),
        };
        for (name, text) in [("base", BASE), ("trig", TRIG)] {
            let context = judge.place.path().join(name).join("context");
            std::fs::create_dir_all(&context).unwrap();
            std::fs::copy("/bin/busybox", context.join("busybox"))
                .map_err(|e| format!("no /bin/busybox: {e}"))?;
            std::fs::write(context.join("Dockerfile"), text).unwrap();
            let layout = judge.place.path().join(name).join("layout");
            judge.run(&context, &layout, &judge.images(&BTreeMap::new()))?;
            let index = std::fs::read(layout.join("index.json")).unwrap();
            let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
            let digest = index["manifests"][0]["digest"].as_str().unwrap().to_owned();
            judge.bases.insert(name, Base { layout, digest });
        }
        Ok(judge)
    }

    /// The image, or why there is none.
    pub fn build(&self, world: &World) -> Result<Image, String> {
        let place = tempfile::tempdir_in(self.place.path()).unwrap();
        let context = place.path().join("context");
        write(&world.tree(), &context);
        let mut options = self.images(&world.contexts);
        options.extend([
            format!("filename={}", world.name),
            format!("platform={}", world.platform),
        ]);
        options.extend(world.target.iter().map(|target| format!("target={target}")));
        let args = world.args.iter();
        options.extend(args.map(|(name, value)| format!("build-arg:{name}={value}")));
        for (number, (name, named)) in world.contexts.iter().enumerate() {
            if let Named::Folder(tree) = named {
                write(tree, &place.path().join(format!("context-{number}")));
                options.push(format!("context:{name}=local:context-{number}"));
            }
        }
        let layout = place.path().join("layout");
        self.run(&context, &layout, &options)?;
        Ok(Image::of_layout(&layout, None))
    }

    /// The named contexts that are images: those of a world, and the images that have a name of their own.
    fn images(&self, contexts: &BTreeMap<String, Named>) -> Vec<String> {
        let chosen = contexts.iter().filter_map(|(name, named)| match named {
            Named::Image(image) => Some((name.as_str(), image.as_str())),
            Named::Folder(_) => None,
        });
        let own = self.bases.keys().filter(|name| !contexts.contains_key(**name));
        chosen
            .chain(own.map(|name| (*name, *name)))
            .map(|(name, image)| {
                let digest = &self.bases[image].digest;
                format!("context:{name}=oci-layout://{image}@{digest}")
            })
            .collect()
    }

    fn run(&self, context: &Path, layout: &Path, options: &[String]) -> Result<(), String> {
        let mut command = self.buildkit.command();
        command.args([
            "build",
            "--no-cache",
            "--progress=quiet",
            "--frontend=dockerfile.v0",
        ]);
        let mut local = |name: &str, folder: &Path| {
            command.arg("--local").arg(format!("{name}={}", folder.display()));
        };
        local("context", context);
        local("dockerfile", context);
        for option in options {
            if let Some((_, name)) = option.split_once("=local:") {
                local(name, &context.with_file_name(name));
            }
        }
        for (name, base) in &self.bases {
            command
                .arg("--oci-layout")
                .arg(format!("{name}={}", base.layout.display()));
        }
        for option in options {
            command.arg("--opt").arg(option);
        }
        let output = format!(
            "type=oci,tar=false,compression=uncompressed,dest={}",
            layout.display()
        );
        run(command.arg("--output").arg(output)).map(drop)
    }
}
