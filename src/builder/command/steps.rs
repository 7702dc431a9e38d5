//! Which instruction a builder is at, and which one failed, by what it says.

use crate::containerfile::recipe::{Op, Recipe, Source, Stage};

/// The instructions that a builder may name.
pub(super) struct Steps {
    all: Vec<(u32, String)>,
    /// The lines of the stages' FROM.
    from: Vec<u32>,
    /// The stages as BuildKit counts in them.
    counted: Vec<Counted>,
    /// Index into `all` of the one that began last.
    last: Option<usize>,
    /// Where a builder that does one thing after the other is.
    at: Option<u32>,
    /// How many FROM began.
    begun: usize,
    /// What the builder named as the one that failed.
    named: Option<u32>,
}

/// A stage as BuildKit counts in it: `[NAME 2/4]`.
struct Counted {
    /// Its name; `stage-1` where it has none.
    name: String,
    /// Whether its FROM is the first one: where it pulls an image.
    from: bool,
    /// What makes layers, as indices into `all`.
    steps: Vec<usize>,
}

impl Counted {
    fn of(number: usize, stage: &Stage, first: usize) -> Self {
        let layer = |op: &Op| matches!(op, Op::Transfer(_) | Op::Run(_) | Op::Workdir(_));
        let steps = stage.steps.iter().enumerate().filter(|(_, step)| layer(&step.op));
        Self {
            name: stage.name.clone().unwrap_or_else(|| format!("stage-{number}")),
            from: !matches!(stage.base, Source::Scratch | Source::Stage(_)),
            steps: steps.map(|(at, _)| first + at).collect(),
        }
    }
}

impl Steps {
    pub(super) fn new(recipe: &Recipe) -> Self {
        let steps = recipe.stages.iter().flat_map(|stage| &stage.steps);
        let mut first = 0;
        let counted = recipe.stages.iter().enumerate().map(|(number, stage)| {
            first += stage.steps.len();
            Counted::of(number, stage, first - stage.steps.len())
        });
        let counted = counted.collect();
        Self {
            counted,
            all: steps.map(|step| (step.line, squeezed(&step.original))).collect(),
            from: recipe.stages.iter().map(|stage| stage.line).collect(),
            last: None,
            at: None,
            begun: 0,
            named: None,
        }
    }

    /// The instruction that begins by this line of a builder, when one does.
    pub(super) fn begun(&mut self, line: &str) -> Option<(u32, String)> {
        if let Some(named) = self.named(line) {
            self.named = Some(named);
            return None;
        }
        let (place, text) = text(line)?;
        let (text, one_by_one) = (squeezed(text), place.is_none());
        if one_by_one && text.starts_with("FROM ") {
            self.at = self.from.get(self.begun).copied();
            self.begun += 1;
            return None;
        }
        let counted = place.and_then(|place| self.place(place));
        let found = counted.or_else(|| self.find(&text, one_by_one))?;
        let (line, text) = self.all.get(found)?.clone();
        if one_by_one {
            self.at = Some(line);
        }
        if self.last == Some(found) {
            return None;
        }
        self.last = Some(found);
        Some((line, text))
    }

    /// The line of the instruction that failed, where the builder told it: BuildKit names it, the others were at it.
    pub(super) fn failed(&self) -> Option<u32> {
        self.named.or(self.at)
    }

    /// An instruction by BuildKit's count, `linux/amd64 stage-1 2/4`: it tells words of a COPY expanded, so that their
    /// text is not the written one.
    fn place(&self, place: &str) -> Option<usize> {
        let mut words = place.split_whitespace().rev();
        let (number, of) = words.next()?.split_once('/')?;
        let (number, of) = (number.parse::<usize>().ok()?, of.parse::<usize>().ok()?);
        let stage = match words.next().filter(|name| !name.contains('/')) {
            Some(name) => self.counted.iter().find(|stage| stage.name == name)?,
            None => self.counted.last().filter(|_| self.counted.len() == 1)?,
        };
        let from = usize::from(stage.from);
        let same = stage.steps.len() + from == of;
        stage
            .steps
            .get(number.checked_sub(from + 1)?)
            .copied()
            .filter(|_| same)
    }

    /// An instruction by its text. Of equal ones a builder that does one after the other comes to the next.
    fn find(&self, text: &str, one_by_one: bool) -> Option<usize> {
        let is = |(_, step): &(u32, String)| *step == text || step.starts_with(&format!("{text} "));
        let after = self.last.filter(|_| one_by_one).map_or(0, |last| last + 1);
        let later = self.all.iter().skip(after).position(is).map(|at| at + after);
        later.or_else(|| self.all.iter().position(is))
    }

    /// The line that an error of BuildKit names: `Dockerfile:5` above the text of it, `dockerfile parse error on line 5`,
    /// ` > [stage-0 2/3] RUN x:` where it is older. What a RUN says stands behind a number, and is none of these.
    fn named(&self, line: &str) -> Option<u32> {
        if self.at.is_some() {
            return None;
        }
        if let Some(number) = line.strip_prefix("Dockerfile:") {
            return number.parse().ok();
        }
        if let Some(step) = line.strip_prefix(" > [") {
            let (place, text) = step.split_once("] ")?;
            let text = squeezed(text.trim_end().trim_end_matches(':'));
            let found = self.place(place).or_else(|| self.find(&text, false));
            return found.and_then(|at| Some(self.all.get(at)?.0));
        }
        if line.starts_with('#') {
            return None;
        }
        let (_, rest) = line.split_once("dockerfile parse error on line ")?;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    }
}

/// The text of the instruction, and BuildKit's count; the others do one after the other. BuildKit says
/// `#7 [stage-0 2/4] RUN x`, docker `Step 2/4 : RUN x`, buildah `STEP 2/4: RUN x`.
fn text(line: &str) -> Option<(Option<&str>, &str)> {
    if let Some(rest) = line.strip_prefix('#') {
        let (number, rest) = rest.split_once(" [")?;
        number.parse::<u32>().ok()?;
        let (place, text) = rest.split_once("] ")?;
        return Some((Some(place), text));
    }
    let rest = match line.strip_prefix('[') {
        Some(rest) => rest.split_once("] ")?.1,
        None => line,
    };
    let rest = rest
        .strip_prefix("STEP ")
        .or_else(|| rest.strip_prefix("Step "))?;
    let (count, text) = rest.split_once(':')?;
    let (number, of) = count.trim().split_once('/')?;
    (number.parse::<u32>().is_ok() && of.parse::<u32>().is_ok()).then_some((None, text.trim()))
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps() -> Steps {
        Steps {
            all: [
                (2, "RUN x"),
                (5, "COPY a /a"),
                (6, "RUN x"),
                (7, "RUN y --long z"),
            ]
            .map(|(line, text)| (line, text.to_owned()))
            .to_vec(),
            from: vec![1, 4],
            counted: vec![
                Counted {
                    name: "one".into(),
                    from: true,
                    steps: vec![0],
                },
                Counted {
                    name: "stage-1".into(),
                    from: false,
                    steps: vec![1, 2, 3],
                },
            ],
            last: None,
            at: None,
            begun: 0,
            named: None,
        }
    }

    fn after(lines: &[&str]) -> (Vec<u32>, Option<u32>) {
        let mut steps = steps();
        let begun = lines.iter().filter_map(|line| steps.begun(line));
        let begun = begun.map(|(line, _)| line).collect();
        (begun, steps.failed())
    }

    #[test]
    fn buildah_and_classic_docker_fail_where_they_were() {
        let lines = ["STEP 1/2: FROM b", "STEP 2/2: RUN x"];
        assert_eq!(after(&lines), (vec![2], Some(2)));
        let more = ["[2/2] STEP 1/4: FROM b", "[2/2] STEP 2/4: COPY a /a"];
        assert_eq!(after(&[&lines[..], &more].concat()), (vec![2, 5], Some(5)));
        assert_eq!(after(&[&lines[..], &more[..1]].concat()), (vec![2], Some(4)));
        let same = [&lines[..], &more, &["[2/2] STEP 3/4: RUN x"]].concat();
        assert_eq!(
            after(&same),
            (vec![2, 5, 6], Some(6)),
            "the later of two equal ones"
        );
        let docker = [
            "Step 1/5 : FROM b",
            "Step 2/5 : RUN x",
            " ---> Running in 0123",
            "dockerfile parse error on line 9",
        ];
        assert_eq!(after(&docker), (vec![2], Some(2)));
        assert_eq!(after(&["error: no such storage"]), (vec![], None));
    }

    #[test]
    fn buildkit_names_what_failed_whatever_else_began_or_was_said() {
        let lines = [
            "#5 [stage-0 2/4] COPY a /a",
            "#6 [one 2/2] RUN x",
            "#6 0.1 Dockerfile:99",
            "#6 0.1 STEP 1/2: RUN y",
        ];
        assert_eq!(after(&lines), (vec![5, 2], None));
        assert_eq!(after(&[&lines[..], &["Dockerfile:7"]].concat()).1, Some(7));
        assert_eq!(
            after(&[&lines[..], &[" > [stage-0 4/4] RUN y --long:"]].concat()).1,
            Some(7)
        );
        let expanded = " > [linux/amd64 stage-1 1/3] COPY 1.2/a /a:";
        assert_eq!(after(&[expanded]).1, Some(5), "words that BuildKit expanded");
        assert_eq!(
            after(&["#4 [stage-1 2/3] RUN x"]).0,
            [6],
            "the second of two equal ones"
        );
        assert_eq!(
            after(&["#4 [one 1/2] FROM b", "#5 [one 2/3] RUN z"]),
            (vec![], None)
        );
        let unread = "error: failed to solve: dockerfile parse error on line 3: unknown instruction: RUNN";
        assert_eq!(after(&[unread]).1, Some(3));
    }
}
