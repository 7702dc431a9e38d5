//! What a container file asks for, once everything is known: the reachable stages, renumbered,
//! with every word expanded. The revision hashes it, the native builder carries it out.

use super::resolve::BaseFacts;
use crate::model::{Digest, ImageName, Platform, Reference};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The resolved plan of one container file for one target and platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// The platform that is built for.
    pub platform: Platform,
    /// The stages that the target reaches, in file order (rule 20).
    pub stages: Vec<Stage>,
    /// Index into `stages` of the one that becomes the image.
    pub target: usize,
    /// Set when something was not understood, so that the raw container file and the whole
    /// context enter the revision (containerfile 1, "fail closed").
    pub whole: Option<NotUnderstood>,
    /// What to tell the user.
    pub warnings: Vec<Warning>,
    /// The frontend that the file asks for, when it is ours: it enters the revision (rule 7).
    pub syntax: Option<String>,
    /// What an image that builds FROM this one sees of it.
    pub facts: BaseFacts,
    /// What it was made from, for builders that read container files themselves.
    pub written: Written,
}

/// A container file as it is written, and what it was resolved with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    /// Its bytes.
    pub text: Arc<[u8]>,
    /// The build arguments, declared or not.
    pub args: BTreeMap<String, String>,
    /// The stage that was asked for, when one was.
    pub target: Option<String>,
    /// The outside images whose digests are known from elsewhere than the file (containerfile 1.1).
    pub locked: BTreeMap<Reference, Digest>,
    /// The bases of stages of which nothing is known: their triggers, if they have any, are in no recipe.
    pub unlocked: Vec<Unlocked>,
}

/// A base of which nothing is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlocked {
    /// Line of the FROM, from 1.
    pub line: u32,
    /// Which image.
    pub reference: Reference,
    /// For which platform.
    pub platform: Platform,
}

impl Recipe {
    /// What an image that builds FROM this one sees of it, inherited facts included (rule 77).
    pub fn facts(&self) -> &BaseFacts {
        &self.facts
    }
}

/// Why a recipe is not exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUnderstood {
    /// Line of the container file, from 1.
    pub line: u32,
    /// What is not understood, a sentence without its full stop.
    pub reason: String,
}

/// Something that is allowed, but worth a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Line of the container file, from 1.
    pub line: u32,
    /// A stable code such as `unlocked-base`, for `silence:` in rings.yaml.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
}

/// The codes of all warnings that can be silenced.
pub const CODES: [&str; 17] = [
    "add-git-moving",
    "add-url-without-checksum",
    "build-platform",
    "builders-differ",
    "cache-mount",
    "foreign-syntax",
    "git-copied",
    "not-understood",
    "own-name",
    "project-tag",
    "proxy-in-run",
    "run-not-reproducible",
    "same-name",
    "secret-not-in-key",
    "stale-lock",
    "unlocked-base",
    "wildcard-matches-nothing",
];

impl Warning {
    /// Whether it is only a note: what nearly every container file does, or what has no effect.
    pub fn is_note(&self) -> bool {
        matches!(self.code, "project-tag" | "run-not-reproducible")
    }
}

/// One reachable stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Line of its FROM, from 1.
    pub line: u32,
    /// The name after AS, lower-cased.
    pub name: Option<String>,
    /// What it starts from.
    pub base: Source,
    /// The platform where it differs from the recipe's.
    pub platform: Option<Platform>,
    /// The working directory of its base, where that is locked.
    pub workdir: Option<String>,
    /// Its instructions, ONBUILD triggers of the base first.
    pub steps: Vec<Step>,
}

/// A place that files or a base come from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The empty image.
    Scratch,
    /// A stage of this file, by its new number.
    Stage(usize),
    /// An image of the project: its name enters the revision, its version is the other trigger.
    Project(ImageName),
    /// An image outside the project.
    External(Reference),
    /// A named context that is a folder, by its name.
    Named(String),
    /// The build context.
    Context,
}

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// First line in the container file, from 1; of the FROM when `trigger`.
    pub line: u32,
    /// The instruction as written (joined lines), for history entries and messages.
    pub original: String,
    /// Whether it came from an ONBUILD of the base.
    pub trigger: bool,
    /// Set when a word names a variable that only an unlocked base could define: such words stand in
    /// `op` as they are written, not expanded, and `original` must enter the revision beside them.
    pub unresolved: bool,
    /// What it does.
    pub op: Op,
}

/// What an instruction does. Words are expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// COPY and ADD.
    Transfer(Transfer),
    /// RUN.
    Run(Run),
    /// ARG: the names with the values they take here (`None`: declared, no value).
    Arg(Vec<(String, Option<String>)>),
    /// ENV, in order.
    Env(Vec<(String, String)>),
    /// LABEL, in order.
    Label(Vec<(String, String)>),
    /// CMD.
    Cmd(Command),
    /// ENTRYPOINT.
    Entrypoint(Command),
    /// HEALTHCHECK.
    Healthcheck(Healthcheck),
    /// SHELL.
    Shell(Vec<String>),
    /// EXPOSE: `port/protocol`.
    Expose(Vec<String>),
    /// VOLUME.
    Volume(Vec<String>),
    /// USER.
    User(String),
    /// WORKDIR as written; relative to the one before.
    Workdir(String),
    /// STOPSIGNAL.
    StopSignal(String),
    /// ONBUILD: the trigger as it is kept in the config.
    OnBuild(String),
    /// MAINTAINER.
    Maintainer(String),
}

/// A command in shell or exec form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Text for the shell, verbatim.
    Shell(String),
    /// Words.
    Exec(Vec<String>),
}

/// HEALTHCHECK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Healthcheck {
    /// `HEALTHCHECK NONE`.
    None,
    /// `HEALTHCHECK CMD …`. Durations are nanoseconds; 0 means not given.
    Test {
        /// The command.
        command: Command,
        /// `--interval`.
        interval: i64,
        /// `--timeout`.
        timeout: i64,
        /// `--start-period`.
        start_period: i64,
        /// `--start-interval`.
        start_interval: i64,
        /// `--retries`.
        retries: i64,
    },
}

/// RUN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The command, verbatim; a heredoc script is not part of it.
    pub command: Command,
    /// Heredocs on its lines, bodies verbatim (rule 59).
    pub heredocs: Vec<Heredoc>,
    /// `--mount`s in order.
    pub mounts: Vec<Mount>,
    /// `--network`, when given.
    pub network: Option<String>,
    /// `--security`, when given.
    pub security: Option<String>,
    /// `--device`s.
    pub devices: Vec<String>,
    /// The ARGs visible to it that no later ENV hides, sorted by name (rules 27, 28).
    pub args: Vec<(String, String)>,
}

/// A heredoc.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// The word after `<<`, without quotes.
    pub name: String,
    /// The body: for COPY and ADD expanded and without the tabs of `<<-`, for RUN verbatim.
    pub body: String,
    /// File descriptor before `<<`, 0 when none.
    pub descriptor: u32,
    /// Whether the body is expanded (word not quoted).
    pub expand: bool,
    /// `<<-`: leading tabs are stripped.
    pub chomp: bool,
}

/// One `--mount` of a RUN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// What kind.
    pub kind: MountKind,
    /// Where it is mounted.
    pub target: String,
    /// The rest, as sorted `key=value` words, expanded.
    pub options: Vec<(String, String)>,
}

/// The kinds of mounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountKind {
    /// Reads `source` of `from`: the whole subtree is an input (rule 70).
    Bind {
        /// Where from.
        from: Source,
        /// The path there, expanded, as written; `/` by default.
        source: String,
    },
    /// A cache; seeded from `from` once (rule 71).
    Cache {
        /// Where from.
        from: Option<Source>,
        /// The path there.
        source: String,
    },
    /// tmpfs.
    Tmpfs,
    /// A secret: never an input (rule 72).
    Secret,
    /// An ssh agent.
    Ssh,
}

/// COPY or ADD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// ADD: archives are unpacked, URLs fetched.
    pub add: bool,
    /// Where from: [`Source::Context`] unless `--from` says otherwise.
    pub from: Source,
    /// What.
    pub sources: Vec<TransferSource>,
    /// Where to, as written after expansion.
    pub destination: String,
    /// `--chown`, expanded.
    pub chown: Option<String>,
    /// `--chmod`, expanded.
    pub chmod: Option<String>,
    /// `--link`.
    pub link: bool,
    /// `--parents`.
    pub parents: bool,
    /// `--exclude`s.
    pub exclude: Vec<String>,
    /// ADD `--checksum`.
    pub checksum: Option<String>,
    /// ADD `--keep-git-dir`.
    pub keep_git_dir: bool,
    /// ADD `--unpack`.
    pub unpack: Option<bool>,
}

/// One source of a COPY or ADD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferSource {
    /// A path or wildcard, expanded, as written.
    Path(String),
    /// A file that stands in the container file.
    Heredoc(Heredoc),
    /// `http://` or `https://`.
    Url(String),
    /// A git repository.
    Git(String),
}

/// How one image uses another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// `FROM`.
    From,
    /// `COPY --from` or `ADD --from`.
    Copy,
    /// `RUN --mount=from=`.
    Mount,
    /// A named context.
    Context,
    /// The root's implicit dependency on every image (S3).
    Root,
}
