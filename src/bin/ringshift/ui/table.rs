//! Lines in columns, two spaces apart; on a narrow terminal the last column is cut.

/// One cell: its text, and the style it is drawn in.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    text: String,
    style: anstyle::Style,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self {
            text: printable(text.into()),
            style: anstyle::Style::new(),
        }
    }
}

impl Cell {
    /// A cell that needs a look.
    pub fn styled(text: impl Into<String>, style: anstyle::Style) -> Self {
        Self {
            text: printable(text.into()),
            style,
        }
    }
}

/// No control character reaches the terminal, whoever wrote the text.
fn printable(text: String) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// The rows, each led by `indent` spaces, without trailing blanks; `width` cuts lines (`None`: piped).
pub fn render(rows: &[Vec<Cell>], indent: usize, width: Option<usize>) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|i| {
            rows.iter()
                .filter_map(|row| row.get(i))
                .map(|c| c.text.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let lines = rows.iter().map(|row| line(row, &widths, indent, width));
    lines.collect::<Vec<_>>().join("\n")
}

fn line(row: &[Cell], widths: &[usize], indent: usize, width: Option<usize>) -> String {
    let mut out = " ".repeat(indent);
    let mut used = indent;
    let last = row
        .iter()
        .rposition(|cell| !cell.text.is_empty())
        .map_or(0, |last| last + 1);
    for (i, cell) in row.iter().enumerate().take(last) {
        let room = width.map_or(usize::MAX, |width| width.saturating_sub(used));
        let count = cell.text.chars().count();
        if room == 0 {
            break;
        }
        let shown: String = match count > room {
            true => cell.text.chars().take(room - 1).chain(['…']).collect(),
            false => cell.text.clone(),
        };
        let style = cell.style;
        out.push_str(&format!("{style}{shown}{style:#}"));
        used += shown.chars().count();
        if i + 1 < last {
            let gap = widths[i] - count.min(widths[i]) + 2;
            out.push_str(&" ".repeat(gap));
            used += gap;
        }
    }
    out.trim_end().to_owned()
}

/// The width of the terminal, when standard output is one.
pub fn terminal_width() -> Option<usize> {
    use rustix::termios::{isatty, tcgetwinsize};
    let out = std::io::stdout();
    if !isatty(&out) {
        return None;
    }
    tcgetwinsize(&out)
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_rows_end_without_blanks() {
        let rows = vec![
            vec!["ring".into(), "release".into()],
            vec!["users".into(), "".into()],
        ];
        assert_eq!(render(&rows, 2, None), "  ring   release\n  users");
    }

    #[test]
    fn a_narrow_terminal_cuts_from_the_right() {
        let rows = vec![vec!["abc".into(), "defghij".into()]];
        assert_eq!(render(&rows, 0, Some(8)), "abc  de…");
    }
}
