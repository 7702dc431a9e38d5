//! The line under a problem, with its marks.

use super::Snippet;

/// The most characters of a line that are shown.
const WIDTH: usize = 100;

impl Snippet {
    /// The lines of the snippet, without a newline at their end.
    pub(super) fn render(&self, line: u32) -> String {
        let number = line.to_string();
        let gutter = " ".repeat(number.len());
        let (text, start) = self.window();
        let marks = "^".repeat(self.length.clamp(1, WIDTH.saturating_sub(start).max(1)));
        let mut out = format!(
            "{gutter} |\n{number} | {text}\n{gutter} | {}{marks}",
            " ".repeat(start)
        );
        if let Some(label) = &self.label {
            out.push(' ');
            out.extend(label.chars().map(printable));
        }
        out
    }

    /// The part of the line that fits, and where its marks begin.
    fn window(&self) -> (String, usize) {
        let skipped = if self.start + self.length.min(20) > WIDTH {
            self.start.saturating_sub(40)
        } else {
            0
        };
        let lead = if skipped > 0 { "…" } else { "" };
        let shown = self.text.chars().skip(skipped).take(WIDTH).map(printable);
        let text: String = lead.chars().chain(shown).collect();
        (
            text.trim_end().into(),
            self.start - skipped + lead.chars().count(),
        )
    }
}

/// A character as a terminal may see it.
pub(super) fn printable(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}
