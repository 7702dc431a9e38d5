//! Flags and forms of COPY, ADD and RUN that other builders lack.

use super::{Dialect, Fault, Look};
use crate::containerfile::recipe::{Mount, MountKind, Run, Source, Transfer, TransferSource};
use crate::model::BuilderKind;

impl Look<'_> {
    pub(super) fn transfer(&self, line: u32, transfer: &Transfer) -> Option<Fault> {
        let verb = if transfer.add { "ADD" } else { "COPY" };
        let heredoc = transfer
            .sources
            .iter()
            .any(|s| matches!(s, TransferSource::Heredoc(_)));
        let git = transfer
            .sources
            .iter()
            .any(|s| matches!(s, TransferSource::Git(_)));
        let flags = [
            (heredoc && !self.heredocs(), "a heredoc"),
            (transfer.parents, "--parents"),
            (!transfer.exclude.is_empty(), "--exclude"),
            (transfer.link, "--link"),
            (transfer.checksum.is_some(), "--checksum"),
            (transfer.keep_git_dir, "--keep-git-dir"),
            (transfer.unpack.is_some(), "--unpack"),
            (git, "a git repository"),
            (
                transfer.chmod.is_some() && self.dialect == Dialect::Classic,
                "--chmod",
            ),
            (
                transfer.chmod.as_deref().is_some_and(in_letters),
                "a --chmod in letters",
            ),
        ];
        if let Some((_, what)) = flags.into_iter().find(|(used, _)| *used) {
            return self.cannot(line, &format!("{verb} with {what}"));
        }
        // Folders that are made on the way, and bits beyond rwx, come out otherwise.
        let special = transfer
            .chmod
            .as_deref()
            .is_some_and(|mode| mode.trim_start_matches('0').len() > 3);
        if transfer.chmod.is_some() && self.dialect == Dialect::Old || special {
            return self.differs(line, &format!("{verb} --chmod"));
        }
        if transfer.destination.ends_with("/.") {
            return self.differs(line, &format!("{verb} to {}", transfer.destination));
        }
        None
    }

    /// Whether it knows heredocs.
    pub(super) fn heredocs(&self) -> bool {
        match self.found.kind {
            BuilderKind::Buildah => self.found.at_least(1, 33),
            BuilderKind::Podman => self.found.at_least(4, 9),
            _ => self.dialect == Dialect::Current,
        }
    }

    /// Whether it knows RUN --network.
    pub(super) fn networks(&self) -> bool {
        match self.found.kind {
            BuilderKind::Buildah => self.found.at_least(1, 31),
            BuilderKind::Podman => self.found.at_least(4, 6),
            _ => false,
        }
    }

    pub(super) fn run(&self, line: u32, run: &Run) -> Option<Fault> {
        let classic = self.dialect == Dialect::Classic;
        let flags = [
            (!run.heredocs.is_empty() && !self.heredocs(), "a heredoc"),
            (classic && !run.mounts.is_empty(), "--mount"),
            (run.security.is_some(), "--security"),
            (!run.devices.is_empty(), "--device"),
            (run.network.is_some() && !self.networks(), "--network"),
        ];
        if let Some((_, what)) = flags.into_iter().find(|(used, _)| *used) {
            return self.cannot(line, &format!("RUN with {what}"));
        }
        // What is written into a mount would be there for the next RUN.
        let writable = |mount: &Mount| {
            let context = matches!(
                &mount.kind,
                MountKind::Bind {
                    from: Source::Context | Source::Named(_),
                    ..
                }
            );
            context
                && mount.options.iter().any(|(key, value)| {
                    key == "rw" && value == "true" || key == "readonly" && value == "false"
                })
        };
        if self.dialect == Dialect::Buildah && run.mounts.iter().any(writable) {
            return self.differs(line, "a mount of the context that is written to");
        }
        // A secret by another way than a file.
        let env = |mount: &Mount| {
            mount.kind == MountKind::Secret && mount.options.iter().any(|(key, _)| key == "env")
        };
        run.mounts.iter().any(env).then_some(())?;
        self.cannot(line, "RUN with a secret in a variable")
    }
}

/// Whether a mode is not octal.
fn in_letters(mode: &str) -> bool {
    !mode.bytes().all(|b| matches!(b, b'0'..=b'7'))
}
