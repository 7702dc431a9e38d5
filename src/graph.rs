//! Which image needs which: sealed once, free of cycles, in an order that never changes.
//!
//! Edges are explicit (what container files and named contexts say) or the root's implicit ones on
//! every other image (S3). [`draw`] shows a graph to people.

pub mod draw;
mod seal;

use crate::containerfile::recipe::Via;
use crate::model::ImageName;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// That an image uses another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Who uses.
    pub from: ImageName,
    /// Whom.
    pub to: ImageName,
    /// How.
    pub via: Via,
    /// The line of the container file that says so, from 1; 0 when none does (a context, the root).
    pub line: u32,
}

/// One use of another image, seen from the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dependency<'g> {
    /// Whom.
    pub image: &'g ImageName,
    /// How.
    pub via: Via,
    /// The line that says so; 0 when none does.
    pub line: u32,
}

/// Images that need one another in a circle (S3).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct Cycle {
    /// The circle: each image uses the next, and the last one the first.
    pub path: Vec<(ImageName, Via, u32)>,
}

impl Cycle {
    fn text(&self) -> String {
        let mut out = String::from("images need one another: ");
        for (image, via, line) in &self.path {
            out.push_str(&format!("{image} → ({}", word(*via)));
            if *line > 0 {
                out.push_str(&format!(", line {line}"));
            }
            out.push_str(") ");
        }
        if let Some((first, ..)) = self.path.first() {
            out.push_str(first.as_str());
        }
        out
    }
}

/// An edge cannot be part of the graph.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// There is a cycle.
    #[error(transparent)]
    Cycle(#[from] Cycle),
    /// An edge, or the root, names an image that is not one of the project.
    #[error("`{0}` is not an image of the project")]
    Unknown(ImageName),
}

/// All images with what they need; made by [`Graph::seal`], never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    root: ImageName,
    order: Vec<ImageName>,
    /// For each image what it uses, explicit and implicit, each way once with its first line.
    uses: BTreeMap<ImageName, BTreeMap<(ImageName, Via), u32>>,
    users: BTreeMap<ImageName, BTreeSet<ImageName>>,
}

impl Graph {
    /// The graph of these images: the edges given, and the root's implicit ones.
    ///
    /// # Errors
    /// [`SealError::Cycle`] with the shortest way around, [`SealError::Unknown`] for an edge to or
    /// from a stranger.
    pub fn seal(
        images: impl IntoIterator<Item = ImageName>,
        edges: impl IntoIterator<Item = Edge>,
        root: ImageName,
    ) -> Result<Self, SealError> {
        seal::seal(images, edges, root)
    }

    /// The root image.
    pub fn root(&self) -> &ImageName {
        &self.root
    }

    /// All images, each after what it needs; where that leaves a choice, by name. The root is last
    /// unless another image uses it.
    pub fn order(&self) -> &[ImageName] {
        &self.order
    }

    /// What `image` uses, by name and then by way, the root's implicit edges included.
    pub fn dependencies(&self, image: &ImageName) -> impl Iterator<Item = Dependency<'_>> {
        let uses = self.uses.get(image).into_iter().flatten();
        uses.map(|((image, via), line)| Dependency {
            image,
            via: *via,
            line: *line,
        })
    }

    /// What container file and contexts of `image` name: without the root's implicit edges.
    pub fn explicit(&self, image: &ImageName) -> impl Iterator<Item = Dependency<'_>> {
        self.dependencies(image)
            .filter(|dependency| dependency.via != Via::Root)
    }

    /// The images that `image` needs directly, each once: those of its `dependency.*` labels (S4).
    pub fn needs(&self, image: &ImageName) -> BTreeSet<&ImageName> {
        self.dependencies(image)
            .map(|dependency| dependency.image)
            .collect()
    }

    /// The images that use `image` directly; the root uses every other one.
    pub fn users(&self, image: &ImageName) -> impl Iterator<Item = &ImageName> {
        self.users.get(image).into_iter().flatten()
    }

    /// All that is rebuilt with these images: their users, and theirs (B3), without themselves
    /// unless one of them uses another.
    pub fn dependants<'g>(
        &'g self,
        images: impl IntoIterator<Item = &'g ImageName>,
    ) -> BTreeSet<&'g ImageName> {
        reach(images, |image| self.users(image).collect())
    }

    /// As [`Graph::dependants`], over explicit edges alone (`affected` counts these).
    pub fn explicit_dependants<'g>(
        &'g self,
        images: impl IntoIterator<Item = &'g ImageName>,
    ) -> BTreeSet<&'g ImageName> {
        let uses = |user: &ImageName, image: &ImageName| self.explicit(user).any(|d| d.image == image);
        reach(images, |image| {
            self.users(image).filter(|user| uses(user, image)).collect()
        })
    }

    /// All that these images stand on, explicitly: their bases, and theirs, without themselves.
    pub fn bases<'g>(&'g self, images: impl IntoIterator<Item = &'g ImageName>) -> BTreeSet<&'g ImageName> {
        reach(images, |image| {
            self.explicit(image).map(|dependency| dependency.image).collect()
        })
    }
}

/// Everything that can be reached from `start` in one step or more.
fn reach<'g>(
    start: impl IntoIterator<Item = &'g ImageName>,
    next: impl Fn(&ImageName) -> Vec<&'g ImageName>,
) -> BTreeSet<&'g ImageName> {
    let mut waiting: Vec<&ImageName> = start.into_iter().collect();
    let mut reached = BTreeSet::new();
    while let Some(image) = waiting.pop() {
        for found in next(image) {
            if reached.insert(found) {
                waiting.push(found);
            }
        }
    }
    reached
}

/// The word for a way, as `graph --json` writes it.
pub fn word(via: Via) -> &'static str {
    match via {
        Via::From => "from",
        Via::Copy => "copy",
        Via::Mount => "mount",
        Via::Context => "context",
        Via::Root => "root",
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} uses {} ({})", self.from, self.to, word(self.via))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn name(text: &str) -> ImageName {
        text.parse().unwrap()
    }

    /// `a>b` is an edge by FROM, `a>b@7` one with its line.
    pub(crate) fn graph(images: &[&str], edges: &[&str], root: &str) -> Result<Graph, SealError> {
        let edge = |text: &&str| {
            let (from, to) = text.split_once('>').unwrap();
            let (to, line) = to.split_once('@').unwrap_or((to, "1"));
            Edge {
                from: name(from),
                to: name(to),
                via: Via::From,
                line: line.parse().unwrap(),
            }
        };
        Graph::seal(images.iter().map(|i| name(i)), edges.iter().map(edge), name(root))
    }

    fn names<'g>(images: impl IntoIterator<Item = &'g ImageName>) -> Vec<&'g str> {
        images.into_iter().map(ImageName::as_str).collect()
    }

    #[test]
    fn every_image_stands_after_what_it_needs() {
        let g = graph(&["web", "api", "base", "a"], &["api>base", "web>api"], "a").unwrap();
        assert_eq!(names(g.order()), ["base", "api", "web", "a"]);
    }

    #[test]
    fn the_root_depends_on_every_other_image() {
        let g = graph(&["base", "api", "shop"], &["shop>api"], "shop").unwrap();
        assert_eq!(names(g.needs(&name("shop"))), ["api", "base"]);
        assert_eq!(names(g.explicit(&name("shop")).map(|d| d.image)), ["api"]);
        let vias: Vec<Via> = g.dependencies(&name("shop")).map(|d| d.via).collect();
        assert_eq!(vias, [Via::From, Via::Root]);
        assert_eq!(names(g.dependants([&name("base")])), ["shop"]);
        assert!(g.explicit_dependants([&name("base")]).is_empty());
    }

    #[test]
    fn an_image_that_uses_the_root_makes_a_cycle() {
        let Err(SealError::Cycle(cycle)) = graph(&["a", "shop"], &["a>shop@3"], "shop") else {
            panic!()
        };
        assert_eq!(
            cycle.to_string(),
            "images need one another: a → (from, line 3) shop → (root) a"
        );
    }

    #[test]
    fn the_shortest_way_around_is_told() {
        let edges = ["a>b@1", "b>c@2", "c>d@3", "d>a@4", "c>b@5", "e>a@6"];
        let Err(SealError::Cycle(cycle)) = graph(&["a", "b", "c", "d", "e", "r"], &edges, "r") else {
            panic!()
        };
        assert_eq!(cycle.path, [(name("b"), Via::From, 2), (name("c"), Via::From, 5)]);
        let Err(SealError::Cycle(own)) = graph(&["a", "r"], &["a>a@9"], "r") else {
            panic!()
        };
        assert_eq!(own.path, [(name("a"), Via::From, 9)]);
    }

    #[test]
    fn strangers_are_refused() {
        assert_eq!(graph(&["a"], &["a>x"], "a"), Err(SealError::Unknown(name("x"))));
        assert_eq!(graph(&["a"], &[], "x"), Err(SealError::Unknown(name("x"))));
    }

    #[test]
    fn bases_and_dependants_are_transitive() {
        let g = graph(&["a", "b", "c", "d", "r"], &["b>a", "c>b", "d>a"], "r").unwrap();
        assert_eq!(names(g.bases([&name("c")])), ["a", "b"]);
        assert_eq!(names(g.explicit_dependants([&name("a")])), ["b", "c", "d"]);
        assert_eq!(names(g.dependants([&name("b")])), ["c", "r"]);
    }

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let images: Vec<String> = (0..20_000).map(|i| format!("i{i:05}")).collect();
        let edges = images.windows(2).map(|pair| Edge {
            from: name(&pair[0]),
            to: name(&pair[1]),
            via: Via::From,
            line: 1,
        });
        let g = Graph::seal(images.iter().map(|i| name(i)), edges, name("i00000")).unwrap();
        assert_eq!(g.order()[0].as_str(), "i19999");
        assert_eq!(g.bases([&name("i00000")]).len(), 19_999);
    }

    proptest! {
        #[test]
        fn the_order_is_sound_and_does_not_depend_on_how_it_was_told(
            edges in proptest::collection::vec((0u8..12, 0u8..12), 0..40),
            shift in 0usize..40,
        ) {
            let image = |i: u8| name(&format!("i{i}"));
            let mut told: Vec<Edge> = edges.iter()
                .filter(|(a, b)| a > b)
                .map(|(a, b)| Edge { from: image(*a), to: image(*b), via: Via::Copy, line: 1 })
                .collect();
            let seal = |told: &[Edge]| Graph::seal((0..12).map(image).chain([name("root")]), told.to_vec(), name("root"));
            let first = seal(&told).unwrap();
            let at = |image: &ImageName| first.order().iter().position(|i| i == image).unwrap();
            for edge in &told {
                prop_assert!(at(&edge.to) < at(&edge.from));
            }
            prop_assert_eq!(first.order().last().unwrap().as_str(), "root");
            let middle = shift.min(told.len());
            told.rotate_left(middle);
            prop_assert_eq!(first, seal(&told).unwrap());
        }
    }
}
