//! A graph for people and other programs: a text tree, dot, mermaid, svg, and the JSON shape.

mod svg;

use super::{Graph, word};
use crate::containerfile::recipe::Via;
use crate::model::ImageName;
use std::collections::{BTreeMap, BTreeSet};

pub use svg::svg;

/// The shape of `graph --json`, in the order of the build.
pub fn json(graph: &Graph) -> serde_json::Value {
    let image = |image: &ImageName| {
        let dependency =
            |d: super::Dependency<'_>| serde_json::json!({"image": d.image.as_str(), "via": word(d.via)});
        let dependencies: Vec<_> = graph.dependencies(image).map(dependency).collect();
        serde_json::json!({"name": image.as_str(), "root": image == graph.root(), "dependencies": dependencies})
    };
    let images: Vec<_> = graph.order().iter().map(image).collect();
    serde_json::json!({"kind": "graph", "format": 1, "images": images})
}

/// The images as a tree from the root down, with a newline at its end. What was shown once is not unfolded again; the
/// root's implicit edges are drawn only to images that nothing else uses.
pub fn tree(graph: &Graph) -> String {
    let mut out = format!("{} (root)\n", graph.root());
    let mut shown = BTreeSet::new();
    let mut open: Vec<(&ImageName, Vec<Via>, String, bool)> = Vec::new();
    push(graph, graph.root(), "", &mut open);
    while let Some((image, vias, indent, last)) = open.pop() {
        let words: Vec<&str> = vias.iter().map(|via| word(*via)).collect();
        let again = !shown.insert(image) && graph.explicit(image).next().is_some();
        let (branch, below) = if last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        let more = if again { ", see above" } else { "" };
        out.push_str(&format!("{indent}{branch}{image} ({}{more})\n", words.join(", ")));
        if !again {
            push(graph, image, &format!("{indent}{below}"), &mut open);
        }
    }
    out
}

/// Puts the branches below `image` on the stack, the first one on top.
fn push<'g>(
    graph: &'g Graph,
    image: &ImageName,
    indent: &str,
    open: &mut Vec<(&'g ImageName, Vec<Via>, String, bool)>,
) {
    let mut branches: BTreeMap<&ImageName, Vec<Via>> = BTreeMap::new();
    for dependency in drawn(graph, image) {
        branches.entry(dependency.image).or_default().push(dependency.via);
    }
    let mut last = true;
    for (image, vias) in branches.into_iter().rev() {
        open.push((image, vias, indent.to_owned(), last));
        last = false;
    }
}

/// The edges of `image` that a drawing shows.
fn drawn<'g>(graph: &'g Graph, image: &ImageName) -> Vec<super::Dependency<'g>> {
    let used = |image: &ImageName| graph.users(image).any(|user| user != graph.root());
    graph
        .dependencies(image)
        .filter(|d| d.via != Via::Root || !used(d.image))
        .collect()
}

/// The graph for Graphviz.
pub fn dot(graph: &Graph) -> String {
    let mut out = String::from("digraph images {\n  rankdir = BT;\n  node [shape = box];\n");
    for image in graph.order() {
        let root = if image == graph.root() {
            " [style = bold]"
        } else {
            ""
        };
        out.push_str(&format!("  \"{image}\"{root};\n"));
    }
    for image in graph.order() {
        for d in drawn(graph, image) {
            let style = if d.via == Via::Root {
                ", style = dotted"
            } else {
                ""
            };
            out.push_str(&format!(
                "  \"{image}\" -> \"{}\" [label = \"{}\"{style}];\n",
                d.image,
                word(d.via)
            ));
        }
    }
    out.push_str("}\n");
    out
}

/// The graph for Mermaid. Nodes are numbered, since a name may hold what Mermaid reads as syntax.
pub fn mermaid(graph: &Graph) -> String {
    let numbers: BTreeMap<&ImageName, usize> = graph
        .order()
        .iter()
        .enumerate()
        .map(|(i, image)| (image, i))
        .collect();
    let mut out = String::from("graph BT\n");
    for (number, image) in graph.order().iter().enumerate() {
        let (open, close) = if image == graph.root() {
            ("([", "])")
        } else {
            ("[", "]")
        };
        out.push_str(&format!("  n{number}{open}\"{image}\"{close}\n"));
    }
    for (number, image) in graph.order().iter().enumerate() {
        for d in drawn(graph, image) {
            let to = numbers.get(d.image).copied().unwrap_or_default();
            match d.via {
                Via::Root => out.push_str(&format!("  n{number} -.-> n{to}\n")),
                via => out.push_str(&format!("  n{number} -- {} --> n{to}\n", word(via))),
            }
        }
    }
    out
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::tests::graph;
    use super::*;

    fn sample() -> Graph {
        let images = ["base", "api", "web", "tool", "shop"];
        graph(&images, &["api>base", "web>base", "web>api", "shop>web"], "shop").unwrap()
    }

    #[test]
    fn the_tree_unfolds_each_image_once() {
        let want = "\
shop (root)
├─ tool (root)
└─ web (from)
   ├─ api (from)
   │  └─ base (from)
   └─ base (from)
";
        assert_eq!(tree(&sample()), want);
        let twice = graph(&["a", "b", "c", "r"], &["b>a", "c>b", "r>b", "r>c"], "r").unwrap();
        assert!(
            tree(&twice).contains("   └─ b (from, see above)"),
            "{}",
            tree(&twice)
        );
    }

    #[test]
    fn a_dense_graph_is_drawn_in_the_order_of_its_edges() {
        let names: Vec<String> = (0..60).map(|i| format!("i{i:02}")).collect();
        let images: Vec<&str> = names.iter().map(String::as_str).collect();
        let edges: Vec<String> = (0..60)
            .flat_map(|a| (0..a).map(move |b| format!("i{a:02}>i{b:02}")))
            .collect();
        let edges: Vec<&str> = edges.iter().map(String::as_str).collect();
        assert_eq!(
            tree(&graph(&images, &edges, "i59").unwrap()).lines().count(),
            1 + 60 * 59 / 2
        );
    }

    #[test]
    fn the_json_shape_names_every_dependency() {
        let shape = json(&sample());
        assert_eq!(
            shape["images"][0],
            serde_json::json!({"name": "base", "root": false, "dependencies": []})
        );
        let last = &shape["images"][4];
        assert_eq!(last["name"], "shop");
        assert_eq!(last["root"], true);
        assert_eq!(last["dependencies"].as_array().unwrap().len(), 4);
        assert_eq!(
            last["dependencies"][3],
            serde_json::json!({"image": "web", "via": "from"})
        );
    }

    #[test]
    fn dot_and_mermaid_name_images_and_edges() {
        assert!(dot(&sample()).contains("  \"web\" -> \"api\" [label = \"from\"];\n"));
        assert!(dot(&sample()).contains("  \"shop\" -> \"tool\" [label = \"root\", style = dotted];\n"));
        assert!(!dot(&sample()).contains("\"shop\" -> \"base\""));
        let text = mermaid(&sample());
        assert!(
            text.starts_with("graph BT\n  n0[\"base\"]\n") && text.contains("([\"shop\"])"),
            "{text}"
        );
        assert!(text.contains("  n1 -- from --> n0\n"), "{text}");
    }
}
