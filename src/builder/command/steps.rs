//! Which instruction a builder is at, by what it says.

use crate::containerfile::recipe::Recipe;

/// The instructions that a builder may name.
pub(super) struct Steps {
    all: Vec<(u32, String)>,
    last: Option<u32>,
}

impl Steps {
    pub(super) fn new(recipe: &Recipe) -> Self {
        let steps = recipe.stages.iter().flat_map(|stage| &stage.steps);
        Self {
            all: steps.map(|step| (step.line, squeezed(&step.original))).collect(),
            last: None,
        }
    }

    /// The instruction that begins by this line of a builder, when one does.
    pub(super) fn begun(&mut self, line: &str) -> Option<(u32, String)> {
        let text = squeezed(text(line)?);
        let found = self
            .all
            .iter()
            .find(|(_, step)| *step == text || step.starts_with(&format!("{text} ")))?;
        if self.last == Some(found.0) {
            return None;
        }
        self.last = Some(found.0);
        Some(found.clone())
    }
}

/// The text of the instruction: BuildKit says `#7 [stage-0 2/4] RUN x`, docker `Step 2/4 : RUN x`, buildah
/// `STEP 2/4: RUN x`.
fn text(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix('#') {
        let (number, rest) = rest.split_once(" [")?;
        number.parse::<u32>().ok()?;
        return Some(rest.split_once("] ")?.1);
    }
    let rest = line.trim_start_matches('[');
    let rest = rest
        .find("STEP ")
        .or_else(|| rest.find("Step "))
        .map(|at| &rest[at + 5..])?;
    let (count, text) = rest.split_once(':')?;
    let (number, of) = count.trim().split_once('/')?;
    (number.parse::<u32>().is_ok() && of.parse::<u32>().is_ok()).then_some(text.trim())
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
