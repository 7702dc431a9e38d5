//! The command line: verbs, flags, and their help.

#[path = "args/building.rs"]
mod building;
#[path = "args/global.rs"]
mod global;
#[path = "args/outside.rs"]
mod outside;
#[path = "args/rendering.rs"]
mod rendering;
#[path = "args/state.rs"]
mod state;
#[path = "args/values.rs"]
mod values;

pub use building::{BuildArgs, BuilderArgs};
use clap::{Args, Parser, Subcommand, ValueHint};
pub use global::Global;
pub use outside::{LockArgs, RevisionArgs};
pub use rendering::{DiffArgs, KustomizeArgs, RenderArgs};
pub use state::StateVerb;
use std::path::PathBuf;
pub use values::{Color, GraphFormat, Plumbing};

/// Versions, rings and releases for the container images of one repository.
#[derive(Debug, Parser)]
#[command(
    name = "ringshift",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "First steps:
  ringshift demo             a small project in ./ringshift-demo, and the whole story
  ringshift init             propose a rings.yaml for this repository
  ringshift plan             what would be built, and why
  ringshift build            build it
  ringshift shift testers    let testers take over what the ring before it holds
  ringshift unshift          take the last ring back to what it held before

Exit codes:
  0 done, or nothing to do        1 the project or the request is wrong     2 usage
  3 --check: there is work        4 conflict, run it again                  5 the outside failed
  6 nothing to unshift            7 the store went back or is broken        8 refused by a rule
  70 a bug of ringshift           130 interrupted"
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Verb,
}

/// What every verb takes that changes something.
#[derive(Debug, Args)]
pub struct Change {
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Why; kept in the record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Which sources a command reads.
#[derive(Debug, Args, Default)]
pub struct SourceArgs {
    /// Read this commit instead of HEAD: an id, a branch, a tag, HEAD~2
    #[arg(long, value_name = "REV", conflicts_with = "worktree")]
    pub commit: Option<String>,
    /// Read the working copy: tracked files, and untracked ones that git does not ignore
    #[arg(long)]
    pub worktree: bool,
}

/// The overrides of the no-lost-fixes rule.
#[derive(Debug, Args, Default)]
pub struct LossArgs {
    /// The fixes of VERSION are in there under other commits (squashed, say); needs --reason
    #[arg(long, value_name = "VERSION")]
    pub contains: Vec<String>,
    /// Lose the fixes of VERSION knowingly; needs --reason
    #[arg(long, value_name = "VERSION")]
    pub drop: Vec<String>,
    /// Let a release move on that was built from a working copy
    #[arg(long)]
    pub allow_dirty: bool,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Propose a rings.yaml for this repository
    #[command(after_help = "Examples:
  ringshift init              show the proposal and ask
  ringshift init --yes        write it")]
    Init {
        /// Write without asking
        #[arg(long)]
        yes: bool,
        /// Show what would be written, and write nothing
        #[arg(long)]
        dry_run: bool,
        /// Propose this image as the root
        #[arg(long, value_name = "IMAGE")]
        root: Option<String>,
    },
    /// Make a small project and tell the whole story on it
    #[command(after_help = "Examples:
  ringshift demo              in ./ringshift-demo
  ringshift demo /tmp/shop")]
    Demo {
        /// An empty or new folder
        #[arg(value_name = "DIR", default_value = "ringshift-demo", value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
    /// Every problem of rings.yaml, container files and overlays; needs no store
    Check {
        #[command(flatten)]
        source: SourceArgs,
    },
    /// What build would do, and why
    #[command(after_help = "Examples:
  ringshift plan
  ringshift plan --check              exit 3 when there is work (for CI)
  ringshift plan -v                   every reason in full
  ringshift plan --ring users web     a fix behind the front")]
    Plan {
        #[command(flatten)]
        build: BuildArgs,
        /// Exit 3 when there is work
        #[arg(long)]
        check: bool,
    },
    /// Build what must be built against a ring
    #[command(after_help = "Examples:
  ringshift build                              every image, against the first ring
  ringshift build --ring ante base             prepare a base image beside the chain
  ringshift build --ring users web             fix web for users, from this commit
  ringshift build api --major api              a new major version of api
  ringshift build --worktree                   from the working copy, uncommitted changes included
  ringshift build --builder buildah --jobs 2   by buildah, two images at once
  ringshift build --secret id=npm,env=NPM_TOKEN")]
    Build {
        #[command(flatten)]
        build: BuildArgs,
        #[command(flatten)]
        change: Change,
    },
    /// The board: what each ring holds and what waits before it
    Status {
        /// Per ring the version of every image
        #[arg(long)]
        images: bool,
    },
    /// One release with every image's version, digest and revision
    #[command(after_help = "Examples:
  ringshift show users
  ringshift show 1.4.0 --json")]
    Show {
        /// A version of the root image, a ring, or post
        #[arg(value_name = "RELEASE")]
        release: String,
    },
    /// The manifests of a site, every image pinned to the release of its ring
    ///
    /// Needs nothing but the store: what the environment reads is packed into the release.
    #[command(after_help = "Examples:
  ringshift render eu | kubectl apply -f -
  ringshift render eu -o manifests/eu          a file for each object
  ringshift render eu --check manifests/eu     exit 3 when the files are others (for CI)
  ringshift render eu --ring testers           what would eu get from testers?")]
    Render(RenderArgs),
    /// Two releases side by side
    #[command(after_help = "Examples:
  ringshift diff users developers
  ringshift diff 1.4.0 1.5.0 --site eu     what changes on a site, object by object")]
    Diff(DiffArgs),
    /// Let a ring take over the release of the ring before it
    #[command(after_help = "Examples:
  ringshift shift testers
  ringshift shift developers          the first ring takes over what ante prepared
  ringshift shift --all               the train: every ring one step, from the outer end inwards
  ringshift shift users --contains 2.3.1 --reason \"squashed in #812\"")]
    Shift {
        /// The ring that takes over
        #[arg(value_name = "RING", required_unless_present = "all", conflicts_with = "all")]
        ring: Option<String>,
        /// Every ring one step
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        loss: LossArgs,
        /// When the first ring takes over ante: build from this commit instead of HEAD
        #[arg(long, value_name = "REV")]
        commit: Option<String>,
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        how: BuilderArgs,
    },
    /// Take a ring back to what it held before
    #[command(after_help = "Examples:
  ringshift unshift                        the last ring gets back what post holds
  ringshift unshift testers
  ringshift unshift users --to 1.3.0
  ringshift unshift --all                  the whole last train
  ringshift unshift ante base              drop what ante prepared")]
    Unshift {
        /// The ring; the last one by default; or ante
        #[arg(value_name = "RING")]
        ring: Option<String>,
        /// Of ante: the images to drop; none: all
        #[arg(value_name = "IMAGE")]
        images: Vec<String>,
        /// Back to this release
        #[arg(long, value_name = "VERSION", conflicts_with_all = ["empty", "all"])]
        to: Option<String>,
        /// Take back the ring's first release
        #[arg(long, conflicts_with = "all")]
        empty: bool,
        /// Take back the last train
        #[arg(long, conflicts_with_all = ["ring", "images"])]
        all: bool,
        #[command(flatten)]
        loss: LossArgs,
        #[command(flatten)]
        change: Change,
    },
    /// Keep a version out of every ring that does not hold it
    #[command(after_help = "Examples:
  ringshift freeze 2.2.0 --reason \"login loop\"
  ringshift freeze api@1.4.0 --reason \"leaks memory\"")]
    Freeze {
        /// A version of the root, or IMAGE@VERSION
        #[arg(value_name = "VERSION")]
        version: String,
        #[command(flatten)]
        change: Change,
    },
    /// Let a frozen version through again, or what fixes it
    #[command(after_help = "Examples:
  ringshift unfreeze 2.2.0
  ringshift unfreeze 2.2.0 --fixed-in 2.2.4     let through what contains the commit of 2.2.4")]
    Unfreeze {
        /// A version of the root, or IMAGE@VERSION
        #[arg(value_name = "VERSION")]
        version: String,
        /// The release that fixes it
        #[arg(long, value_name = "VERSION")]
        fixed_in: Option<String>,
        #[command(flatten)]
        change: Change,
    },
    /// The records of what was done, the newest first
    Log {
        /// Only what changed this ring
        #[arg(value_name = "RING")]
        ring: Option<String>,
        /// At most N entries
        #[arg(short = 'n', long, value_name = "N")]
        max_count: Option<usize>,
        /// The numbers that builds reserved, too
        #[arg(long)]
        reserved: bool,
    },
    /// Write down what the outside images of the container files are
    ///
    /// rings.lock is committed; a revision reads it, and never the network. Without --update what is locked stays as it is.
    #[command(after_help = "Examples:
  ringshift lock                          lock what is not locked yet
  ringshift lock --update                 take what all of them are now
  ringshift lock --update alpine:3.20     take what this one is now
  ringshift lock --check                  exit 3 when rings.lock lacks something (for CI)")]
    Lock(LockArgs),
    /// Which locked images moved since they were locked
    #[command(after_help = "Examples:
  ringshift outdated
  ringshift outdated --check              exit 3 when something moved (for CI)")]
    Outdated {
        /// Exit 3 when something moved
        #[arg(long)]
        check: bool,
    },
    /// How the images depend on each other
    #[command(after_help = "Examples:
  ringshift graph
  ringshift graph --format dot | dot -Tsvg > graph.svg
  ringshift graph --format mermaid")]
    Graph {
        /// How it is drawn
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: GraphFormat,
        #[command(flatten)]
        source: SourceArgs,
    },
    /// Which images read a file, or what changed, and which are rebuilt in consequence
    #[command(after_help = "Examples:
  ringshift affected --path images/base/Dockerfile
  ringshift affected --path lib/a.go --path lib/b.go --json
  ringshift affected --since origin/main")]
    #[command(group = clap::ArgGroup::new("what").required(true).args(["path", "since"]))]
    Affected {
        /// A file of the repository, relative to the working directory; more than one may be given. What rings.yaml and
        /// ignore files change is told by --since
        #[arg(long, value_name = "P", value_hint = ValueHint::FilePath)]
        path: Vec<PathBuf>,
        /// What changed since this commit
        #[arg(long, value_name = "COMMIT")]
        since: Option<String>,
        #[command(flatten)]
        source: SourceArgs,
    },
    /// Every record of an image's revision, with the line it comes from
    #[command(after_help = "Examples:
  ringshift explain api
  ringshift explain api --records | sha256sum     the revision itself
  ringshift explain api --against 1.4.0           what differs from that version")]
    Explain {
        /// The image
        #[arg(value_name = "IMAGE")]
        image: String,
        /// Print the preimage of the revision
        #[arg(long, conflicts_with = "against")]
        records: bool,
        /// What differs from this version of the image
        #[arg(long, value_name = "VERSION")]
        against: Option<String>,
        #[command(flatten)]
        source: SourceArgs,
    },
    /// The revision of one build context, outside any project
    #[command(after_help = "Examples:
  ringshift revision .
  ringshift revision -f docker/Dockerfile --build-arg V=1 --target runtime .
  ringshift revision --build-context tools=./tools .
  ringshift revision --resolve .          as a lock would pin it, variables of the base known")]
    Revision(RevisionArgs),
    /// Take one image out of the store
    #[command(after_help = "Examples:
  ringshift export api@0.2.0 oci:/tmp/api
  ringshift export users docker-archive:/tmp/shop.tar")]
    Export {
        /// IMAGE@VERSION, a version of the root, or a ring
        #[arg(value_name = "IMAGE")]
        image: String,
        /// oci:FOLDER[:TAG] or docker-archive:FILE
        #[arg(value_name = "TO")]
        to: String,
    },
    /// The store itself
    State {
        #[command(subcommand)]
        what: StateVerb,
    },
    /// Which builders can be used here, and what the registry of the store can do
    ///
    /// A registry is tried step by step: a few small tags are made in a repository of their own, and removed again as far
    /// as the registry removes anything. Exit 8 when it must not be used: its lists are late.
    #[command(after_help = "Examples:
  ringshift doctor
  ringshift doctor --registry registry.example.com
  ringshift doctor --json")]
    Doctor {
        /// Look at this builder as the one that is asked for
        #[arg(long, value_name = "B", env = "RINGSHIFT_BUILDER")]
        builder: Option<String>,
        /// Write nothing to the registry: try only whether it answers, and logins
        #[arg(long)]
        dry_run: bool,
    },
    /// Every setting with its value and where it came from
    Config,
    /// What `kubectl kustomize DIR` prints
    ///
    /// Needs no rings.yaml and no commit. Nothing is fetched and nothing is started.
    #[command(after_help = "Examples:
  ringshift kustomize environments/prod
  ringshift kustomize environments/prod | kubectl apply -f -")]
    Kustomize(KustomizeArgs),
    /// The JSON Schema of rings.yaml
    Schema,
    /// Completions for a shell
    #[command(after_help = "Examples:
  ringshift completions bash > /etc/bash_completion.d/ringshift
  ringshift completions fish > ~/.config/fish/completions/ringshift.fish")]
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
    /// The version of ringshift
    Version,
    /// JSON lines in, JSON lines out: the parts of the container file rules, for tests and programs
    Plumbing {
        /// Which part
        #[arg(value_name = "PART")]
        part: Plumbing,
    },
}
