//! The container file that a builder reads: the bytes as written, but for the places that name images.
//!
//! Lines keep their numbers. What names an image of the project names the planned one instead, an image outside
//! goes by its full name, and by its digest where that is locked. Stages that the target does not reach are blank,
//! so the last stage is the target for every builder, and no builder trips over what is not needed.

use super::super::{Base, BuildError, Job, StepError};
use crate::containerfile::instruction::mount;
use crate::containerfile::line::without_bom;
use crate::containerfile::parse::{File, Node, parse, parse_body};
use crate::containerfile::recipe::{MountKind, Op, Source, Stage, Step};
use crate::model::Reference;

/// The container file of a job.
///
/// # Errors
/// [`BuildError::Instruction`] when nothing was planned for an image that it names.
pub(super) fn text(job: &Job<'_>, refer: &dyn Fn(&Base) -> String) -> Result<Vec<u8>, BuildError> {
    let bytes = &job.recipe.written.text;
    let broken =
        |line| StepError::Value("the container file is not the one that was planned".into()).at(line);
    let file = parse(bytes).map_err(|error| broken(error.line))?;
    if is_foreign(job, &file) {
        return Ok(bytes.to_vec());
    }
    let file = match file.nodes.is_empty() {
        true => parse_body(bytes).map_err(|error| broken(error.line))?,
        false => file,
    };
    let mut writer = Writer {
        job,
        refer,
        escape: file.escape,
        lines: without_bom(bytes).split_inclusive(|b| *b == b'\n').collect(),
        out: Vec::with_capacity(bytes.len() + 256),
        next: 1,
    };
    let (mut stage, mut kept) = (None, true);
    for node in &file.nodes {
        if node.name() == "from" {
            writer.until(node.start, kept);
            stage = job.recipe.stages.iter().find(|stage| stage.line == node.start);
            kept = stage.is_some();
            if let Some(stage) = stage {
                let text = writer.from(stage)?;
                writer.replace(node, &text);
            }
            continue;
        }
        let step = stage.and_then(|stage| {
            let mut steps = stage.steps.iter();
            steps.find(|step| !step.trigger && step.line == node.start)
        });
        if let Some(step) = step
            && let Some(text) = writer.instruction(node, step)?
        {
            writer.until(node.start, true);
            writer.replace(node, &text);
        }
    }
    let end = u32::try_from(writer.lines.len()).unwrap_or(u32::MAX);
    writer.until(end.saturating_add(1), kept);
    Ok(writer.out)
}

/// Whether another frontend reads the file.
pub(in crate::builder) fn is_foreign(job: &Job<'_>, file: &File) -> bool {
    let asked = job.recipe.written.args.contains_key("BUILDKIT_SYNTAX") || file.syntax.is_some();
    asked && job.recipe.syntax.is_none()
}

struct Writer<'a> {
    job: &'a Job<'a>,
    refer: &'a dyn Fn(&Base) -> String,
    escape: char,
    lines: Vec<&'a [u8]>,
    out: Vec<u8>,
    /// The number of the next line that is not written.
    next: u32,
}

impl Writer<'_> {
    /// Writes the lines before `line`: as they are, or blank.
    fn until(&mut self, line: u32, kept: bool) {
        while self.next < line {
            let text = self.lines.get(self.next as usize - 1).copied();
            match text {
                Some(text) if kept => {
                    self.out.extend_from_slice(text);
                    if !text.ends_with(b"\n") {
                        self.out.push(b'\n');
                    }
                }
                _ => self.out.push(b'\n'),
            }
            self.next += 1;
        }
    }

    /// Writes `text` in the place of an instruction. Heredocs follow it at once, so blank lines that make up for
    /// joined ones come first then.
    fn replace(&mut self, node: &Node, text: &str) {
        let bodies = node.heredocs.iter().map(|h| h.body.matches('\n').count() + 1);
        let bodies = u32::try_from(bodies.sum::<usize>()).unwrap_or_default();
        let last = node.end.saturating_sub(bodies).max(node.start);
        if bodies > 0 {
            self.until(last, false);
        }
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'\n');
        self.next += 1;
        match bodies {
            0 => self.until(node.end + 1, false),
            _ => self.until(node.end + 1, true),
        }
    }

    fn from(&self, stage: &Stage) -> Result<String, BuildError> {
        let base = match &stage.base {
            Source::Stage(number) => {
                let name = self.job.recipe.stages.get(*number).and_then(|s| s.name.clone());
                name.unwrap_or_else(|| number.to_string())
            }
            source => self
                .image(source, stage.line)?
                .unwrap_or_else(|| "scratch".into()),
        };
        let mut text = String::from("FROM ");
        if let Some(platform) = &stage.platform {
            text.push_str(&format!("--platform={platform} "));
        }
        text.push_str(&base);
        if let Some(name) = &stage.name {
            text.push_str(&format!(" AS {name}"));
        }
        Ok(text)
    }

    /// An instruction whose flags name something else now; none when it stays as it is.
    fn instruction(&self, node: &Node, step: &Step) -> Result<Option<String>, BuildError> {
        let mut flags = node.flags.clone();
        match &step.op {
            Op::Transfer(transfer) => {
                for flag in &mut flags {
                    let Some(written) = flag.strip_prefix("--from=") else {
                        continue;
                    };
                    let now = match &transfer.from {
                        Source::Stage(number) if written.parse::<u32>().is_ok() => Some(number.to_string()),
                        source => self.image(source, step.line)?,
                    };
                    if let Some(now) = now {
                        *flag = format!("--from={now}");
                    }
                }
            }
            Op::Run(run) => {
                let texts = flags.iter_mut().filter_map(|flag| {
                    let text = flag.strip_prefix("--mount=")?.to_owned();
                    Some((flag, text))
                });
                for ((flag, text), mount) in texts.zip(&run.mounts) {
                    let (MountKind::Bind { from, .. } | MountKind::Cache { from: Some(from), .. }) =
                        &mount.kind
                    else {
                        continue;
                    };
                    if let Some(now) = self.image(from, step.line)? {
                        let text = mount::with_from(&text, &now)
                            .map_err(|_| StepError::Value(format!("--mount={text}")).at(step.line))?;
                        *flag = format!("--mount={text}");
                    }
                }
            }
            _ => {}
        }
        if flags == node.flags {
            return Ok(None);
        }
        let flags = flags
            .iter()
            .map(|flag| self.escaped(flag))
            .collect::<Vec<_>>()
            .join(" ");
        Ok(Some(format!(
            "{} {flags} {}",
            node.command,
            node.rest(self.escape)
        )))
    }

    /// The reference of an image; none for what is no image.
    fn image(&self, source: &Source, line: u32) -> Result<Option<String>, BuildError> {
        match source {
            Source::Project(name) => {
                let missing =
                    || StepError::Value(format!("nothing was planned for the image {name}")).at(line);
                let base = self.job.bases.get(name).ok_or_else(missing)?;
                Ok(Some((self.refer)(base)))
            }
            Source::External(reference) => Ok(Some(full(reference))),
            Source::Named(name) => Ok(Some(name.clone())),
            Source::Scratch | Source::Stage(_) | Source::Context => Ok(None),
        }
    }

    /// A flag as it stands in a container file: the lexer takes escapes off.
    fn escaped(&self, flag: &str) -> String {
        let mut text = String::with_capacity(flag.len());
        for c in flag.chars() {
            if c.is_whitespace() || matches!(c, '\'' | '"') || c == self.escape {
                text.push(self.escape);
            }
            text.push(c);
        }
        text
    }
}

/// The full name of an image outside the project: by its digest where one is known, which not all builders take
/// beside a tag.
fn full(reference: &Reference) -> String {
    match reference.digest() {
        Some(digest) => format!("{}@{digest}", reference.name()),
        None => reference.to_string(),
    }
}
