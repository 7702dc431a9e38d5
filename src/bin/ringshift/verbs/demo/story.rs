//! The story of the demo: the golden scenario, told to a newcomer.

/// One beat of it.
pub enum Beat {
    /// A few sentences.
    Say(&'static str),
    /// A file of the project.
    Write(&'static str, &'static str),
    /// A git command that is not part of the story.
    Quiet(&'static [&'static str]),
    /// A git command; `FIRST` stands for the first commit.
    Git(&'static [&'static str]),
    /// A ringshift command, and the exit code it ends with.
    Ringshift(&'static [&'static str], i32),
}

const RINGS: &str = "\
project: acme/shop
rings: [dev, test, users]

images:
  base: base                      # what all services share
  api: api                        # built FROM base
  web: web
  shop: {context: shop, root: true}   # the root image: one version of it is a release

sites:                            # where releases run: a kustomization of environments/, and a ring
  laptop: {environment: dev, ring: dev}
  eu: {environment: prod, ring: users}
";

const BASE: &str = "\
FROM scratch
COPY etc /etc
";

const API: &str = "\
FROM acme/shop/base
COPY --chmod=755 serve.sh /usr/bin/serve
ENTRYPOINT [\"/usr/bin/serve\"]
EXPOSE 8080
";

const WEB: &str = "\
FROM scratch
COPY public /srv/www
";

const SHOP: &str = "\
FROM acme/shop/api
COPY notes /notes
";

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
        - name: api
          image: acme/shop/api
          envFrom: [{configMapRef: {name: api}}]
";

const SHARED: &str = "\
resources: [api.yaml]
configMapGenerator:
  - {name: api, literals: [LOG_LEVEL=info]}
";

const DEV: &str = "\
namespace: shop-dev
resources: [../base]
configMapGenerator:
  - {name: api, behavior: merge, literals: [LOG_LEVEL=debug]}
";

const PROD: &str = "\
namespace: shop
resources: [../base]
replicas: [{name: api, count: 3}]
";

const SERVE: &str = "\
#!/bin/sh
# Says hello to whoever connects.
while true; do printf 'HTTP/1.1 200 OK\\r\\n\\r\\nhello\\n' | nc -l -p 8080; done
";

const SERVE_FASTER: &str = "\
#!/bin/sh
# Says hello to whoever connects, and closes at once.
while true; do printf 'HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\nhello\\n' | nc -l -p 8080; done
";

/// The beats, in order.
pub fn story() -> Vec<Beat> {
    use Beat::{Git, Quiet, Ringshift, Say, Write};
    vec![
        Quiet(&["init", "-q", "-b", "main"]),
        Quiet(&["config", "user.name", "Ada"]),
        Quiet(&["config", "user.email", "ada@example.com"]),
        Quiet(&["config", "commit.gpgsign", "false"]),
        Quiet(&["config", "core.hooksPath", "/dev/null"]),
        Write("rings.yaml", RINGS),
        Write("base/Dockerfile", BASE),
        Write("base/etc/os-release", "NAME=acme\nVERSION=1\n"),
        Write("api/Dockerfile", API),
        Write("api/serve.sh", SERVE),
        Write("web/Dockerfile", WEB),
        Write(
            "web/public/index.html",
            "<!doctype html><title>acme</title><input id=search>\n",
        ),
        Write("shop/Dockerfile", SHOP),
        Write("shop/notes", "A shop that says hello.\n"),
        Write("environments/base/kustomization.yaml", SHARED),
        Write("environments/base/api.yaml", DEPLOYMENT),
        Write("environments/dev/kustomization.yaml", DEV),
        Write("environments/prod/kustomization.yaml", PROD),
        Say(
            "A shop of four images in one git repository. Each folder holds a container file and what it
copies; rings.yaml names the images, the rings that a release passes on its way to the users, and
the sites where it runs. How it runs there stands in environments/, as kustomizations.",
        ),
        Git(&["add", "."]),
        Git(&["commit", "-q", "-m", "A first shop"]),
        Ringshift(&["graph"], 0),
        Say(
            "1. Build. Nothing but this program is at work: no daemon, no registry, no cluster. The images
and their history are kept beside the repository, in .git/ringshift.",
        ),
        Ringshift(&["plan"], 0),
        Ringshift(&["build"], 0),
        Say("2. The release is in the first ring, dev. Let test take it over: the same digests, no build."),
        Ringshift(&["shift", "test"], 0),
        Say(
            "3. The api changes. Only what must be is rebuilt, each with its reason. test has this minor
version already, so dev opens the next one.",
        ),
        Write("api/serve.sh", SERVE_FASTER),
        Git(&["commit", "-q", "-a", "-m", "Close connections"]),
        Ringshift(&["plan", "-v"], 0),
        Ringshift(&["build"], 0),
        Say("4. The train: every release moves one ring on, from the outer end inwards."),
        Ringshift(&["shift", "--all"], 0),
        Ringshift(&["status"], 0),
        Say("5. A new base image, prepared beside the running chain: ante holds it until dev takes it over."),
        Write("base/etc/os-release", "NAME=acme\nVERSION=2\n"),
        Git(&["commit", "-q", "-a", "-m", "Base 2"]),
        Ringshift(&["build", "--ring", "ante", "base"], 0),
        Ringshift(&["status"], 0),
        Say("6. dev takes it over, and all that stands on it is built anew."),
        Ringshift(&["shift", "dev"], 0),
        Say("7. The users found a fault in what they have. Fix just that, from the commit that they run."),
        Git(&["switch", "-q", "-c", "fix-search", "FIRST"]),
        Write(
            "web/public/index.html",
            "<!doctype html><title>acme</title><input id=search maxlength=80>\n",
        ),
        Git(&["commit", "-q", "-a", "-m", "Limit the search box"]),
        Ringshift(&["build", "--ring", "users", "web"], 0),
        Ringshift(&["status", "--images"], 0),
        Say(
            "8. post shows what was displaced last. Nothing is shifted there; ringshift says so and changes nothing.",
        ),
        Ringshift(&["shift", "post"], 1),
        Say(
            "9. Was the fix a mistake? Take it back: users hold again what they held, byte for byte, and
what was taken back is frozen, so that it does not return by accident.",
        ),
        Ringshift(&["unshift"], 0),
        Ringshift(&["status"], 0),
        Say("10. users take over the release that test holds."),
        Ringshift(&["shift", "users"], 0),
        Say("11. The fix is merged. web needs no build: that very content exists as 0.1.1 and is adopted."),
        Git(&["switch", "-q", "main"]),
        Git(&["merge", "-q", "--no-edit", "fix-search"]),
        Ringshift(&["build"], 0),
        Say("12. Once more: there is nothing to do, and nothing is written."),
        Ringshift(&["build"], 0),
        Say("What happened, and where everything is now:"),
        Ringshift(&["log"], 0),
        Ringshift(&["status"], 0),
        Say(
            "13. What a site gets: the configuration that was packed into its ring's release, every image
pinned by digest. Only the store is read; pipe it into kubectl, or commit it for Flux or Argo CD.",
        ),
        Ringshift(&["diff", "users", "dev", "--site", "eu"], 0),
        Ringshift(&["render", "eu"], 0),
    ]
}
