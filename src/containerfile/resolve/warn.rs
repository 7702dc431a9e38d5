//! The warnings of a container file, each with a stable code.

use crate::containerfile::recipe::Warning;
use crate::containerfile::syntax::Syntax;
use crate::model::Platform;

fn warning(line: u32, code: &'static str, message: impl Into<String>) -> Warning {
    Warning {
        line,
        code,
        message: message.into(),
    }
}

/// Rule 7.
pub(super) fn foreign_syntax(syntax: &Syntax) -> Warning {
    let reference = &syntax.reference;
    let moving = if syntax.is_moving() {
        ", and its tag can move"
    } else {
        ""
    };
    warning(
        syntax.line,
        "foreign-syntax",
        format!("the frontend {reference} reads this file{moving}: the whole context enters the revision"),
    )
}

/// Something that makes the revision larger (SEC-A9).
pub(super) fn not_understood(line: u32, reason: &str) -> Warning {
    let message = format!("{reason}: the whole context enters the revision");
    warning(line, "not-understood", message)
}

/// An image that `rings.lock` does not hold.
pub(super) fn unlocked_base(line: u32, reference: &str) -> Warning {
    let message = format!(
        "{reference} is not pinned: it enters the revision by its name alone, and no rebuild follows when that moves"
    );
    warning(line, "unlocked-base", message)
}

/// An image that `rings.lock` holds for other platforms only.
pub(super) fn half_locked(line: u32, reference: &str, platform: &Platform) -> Warning {
    let message = format!("rings.lock does not say what {reference} is on {platform}: `ringshift lock` asks");
    warning(line, "unlocked-base", message)
}

/// An image outside the project that is called like the project.
pub(super) fn own_name(line: u32, reference: &str, name: &str) -> Warning {
    warning(
        line,
        "own-name",
        format!(
            "{reference} is taken for an image outside the project, though `{name}` is the project's own name: \
             `contexts: {{\"{reference}\": {{image: NAME}}}}` makes it one of its images, \"docker-image://{reference}\" \
             there says that it is none"
        ),
    )
}

/// Rule 16.
pub(super) fn numeric_from(line: u32, base: &str) -> Warning {
    let message = format!("FROM {base} is an image of that name, not stage {base}");
    warning(line, "numeric-from", message)
}

/// A tag on an image of the project.
pub(super) fn project_tag(line: u32, image: &str, tag: &str) -> Warning {
    let message = format!("the tag {tag} of {image}, an image of the project, has no effect");
    warning(line, "project-tag", message)
}

/// Rule 28.
pub(super) fn builders_differ(line: u32, name: &str) -> Warning {
    let message =
        format!("ARG {name} after ENV {name}: BuildKit lets the ARG win in RUN, buildah lets the ENV win");
    warning(line, "builders-differ", message)
}

/// Rule 29.
pub(super) fn build_platform(line: u32, name: &str) -> Warning {
    let message = format!("{name} depends on the builder: the revision takes linux/amd64 for it");
    warning(line, "build-platform", message)
}

/// Rule 56.
pub(super) fn url_without_checksum(line: u32, url: &str) -> Warning {
    let message = format!("what {url} holds can change: --checksum=sha256:… would pin it");
    warning(line, "add-url-without-checksum", message)
}

/// Rule 57.
pub(super) fn git_moving(line: u32, url: &str) -> Warning {
    let message = format!("what {url} names can move: a full commit id would pin it");
    warning(line, "add-git-moving", message)
}

/// Rule 71.
pub(super) fn cache_mount(line: u32, target: &str) -> Warning {
    let message = format!("the result can depend on what earlier builds left in the cache at {target}");
    warning(line, "cache-mount", message)
}

/// Rule 74.
pub(super) fn run_not_reproducible(line: u32, what: &str) -> Warning {
    let message =
        format!("the same revision can become another image: `{what}` need not answer the same tomorrow");
    warning(line, "run-not-reproducible", message)
}

/// Rule 26.
pub(super) fn proxy_in_run(line: u32, name: &str) -> Warning {
    let message =
        format!("{name} is no part of the revision, and this RUN uses it: declare it with ARG if it matters");
    warning(line, "proxy-in-run", message)
}

/// Rule 72.
pub(super) fn secret_not_in_key(line: u32, what: &str) -> Warning {
    let message = format!("{what} is no part of the revision: when it changes, change the image's epoch");
    warning(line, "secret-not-in-key", message)
}
