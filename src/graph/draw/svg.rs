//! A plain drawing in layers: what an image needs lies below it.

use super::{drawn, word};
use crate::containerfile::recipe::Via;
use crate::graph::Graph;
use crate::model::ImageName;
use std::collections::BTreeMap;

const HEIGHT: usize = 32;
const GAP_X: usize = 24;
const GAP_Y: usize = 64;
const MARGIN: usize = 16;
/// Width of a character of the font, for the width of the boxes.
const CHARACTER: usize = 8;

struct Cell {
    x: usize,
    y: usize,
    width: usize,
}

/// The graph as a self-contained SVG.
pub fn svg(graph: &Graph) -> String {
    let layers = layers(graph);
    let (cells, width, height) = place(&layers);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"monospace\" font-size=\"13\">\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">\
         <path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n"
    );
    for image in graph.order() {
        for dependency in drawn(graph, image) {
            if let (Some(from), Some(to)) = (cells.get(image), cells.get(dependency.image)) {
                out.push_str(&line(from, to, dependency.via));
            }
        }
    }
    for image in graph.order() {
        if let Some(cell) = cells.get(image) {
            out.push_str(&block(cell, image, image == graph.root()));
        }
    }
    out.push_str("</svg>\n");
    out
}

/// Layer 0 needs nothing; any other image lies one above the highest that it needs.
fn layers(graph: &Graph) -> Vec<Vec<&ImageName>> {
    let mut level: BTreeMap<&ImageName, usize> = BTreeMap::new();
    let mut layers: Vec<Vec<&ImageName>> = Vec::new();
    for image in graph.order() {
        let below = graph
            .needs(image)
            .into_iter()
            .filter_map(|need| level.get(need))
            .max();
        let own = below.map_or(0, |below| below + 1);
        level.insert(image, own);
        if layers.len() <= own {
            layers.push(Vec::new());
        }
        layers[own].push(image);
    }
    layers
}

fn place<'g>(layers: &[Vec<&'g ImageName>]) -> (BTreeMap<&'g ImageName, Cell>, usize, usize) {
    let width_of = |image: &ImageName| image.as_str().len() * CHARACTER + 2 * CHARACTER;
    let layer_width =
        |layer: &Vec<&ImageName>| layer.iter().map(|image| width_of(image) + GAP_X).sum::<usize>();
    let widest = layers.iter().map(layer_width).max().unwrap_or(GAP_X) - GAP_X;
    let mut cells = BTreeMap::new();
    for (number, layer) in layers.iter().rev().enumerate() {
        let mut x = MARGIN + (widest + GAP_X - layer_width(layer)) / 2;
        for image in layer {
            let width = width_of(image);
            let y = MARGIN + number * (HEIGHT + GAP_Y);
            cells.insert(*image, Cell { x, y, width });
            x += width + GAP_X;
        }
    }
    let height = 2 * MARGIN + layers.len() * (HEIGHT + GAP_Y) - GAP_Y.min(layers.len() * GAP_Y);
    (cells, widest + 2 * MARGIN, height)
}

fn line(from: &Cell, to: &Cell, via: Via) -> String {
    let dash = if via == Via::Root {
        " stroke-dasharray=\"2 4\""
    } else {
        ""
    };
    format!(
        "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"#666\" marker-end=\"url(#tip)\"{dash}><title>{}</title></line>\n",
        from.x + from.width / 2,
        from.y + HEIGHT,
        to.x + to.width / 2,
        to.y,
        word(via),
    )
}

fn block(cell: &Cell, image: &ImageName, root: bool) -> String {
    let stroke = if root { 3 } else { 1 };
    format!(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{HEIGHT}\" rx=\"4\" fill=\"#fff\" stroke=\"#333\" stroke-width=\"{stroke}\"/>\
         <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
        cell.x,
        cell.y,
        cell.width,
        cell.x + cell.width / 2,
        cell.y + 21,
        escape(image.as_str()),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::super::tests::graph;
    use super::*;

    #[test]
    fn an_image_lies_above_what_it_needs() {
        let g = graph(&["base", "api", "web", "shop"], &["api>base", "web>base"], "shop").unwrap();
        let names: Vec<Vec<&str>> = layers(&g)
            .iter()
            .map(|l| l.iter().map(|i| i.as_str()).collect())
            .collect();
        assert_eq!(names, [vec!["base"], vec!["api", "web"], vec!["shop"]]);
        let drawing = svg(&g);
        assert_eq!(drawing.matches("<rect").count(), 4);
        assert_eq!(drawing.matches("<line").count(), 4);
    }

    #[test]
    fn a_single_image_can_be_drawn() {
        let drawing = svg(&graph(&["a"], &[], "a").unwrap());
        assert!(drawing.contains("height=\"64\""), "{drawing}");
    }

    #[test]
    fn markup_is_escaped() {
        assert_eq!(escape("<a&\">"), "&lt;a&amp;&quot;&gt;");
    }
}
