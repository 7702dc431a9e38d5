//! What is drawn on a terminal while images are at work: a line for each, below the lines that stay.

use crate::ui::{LEAD, Ui, plain, table};
use ringshift::model::{ImageName, Version};
use std::io::IsTerminal;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Nothing is drawn before.
const FIRST: Duration = Duration::from_millis(500);
/// How often it is drawn anew.
const EVERY: Duration = Duration::from_millis(200);
/// The most images that have a line.
const MOST: usize = 12;

/// The drawing; its thread starts with the first image.
pub struct Live(Arc<Shared>);

struct Shared {
    ui: Ui,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    running: Vec<Running>,
    /// How many lines stand on the screen that the next drawing replaces.
    drawn: usize,
    started: bool,
    ended: bool,
}

/// An image at work.
struct Running {
    image: ImageName,
    version: Version,
    step: String,
    since: Instant,
}

impl Live {
    /// Draws on standard error, when that is a terminal that can be drawn on.
    pub fn on_terminal(ui: Ui) -> Option<Self> {
        (std::io::stderr().is_terminal() && !crate::settings::dumb_terminal()).then(|| {
            Self(Arc::new(Shared {
                ui,
                state: Mutex::default(),
                changed: Condvar::new(),
            }))
        })
    }

    /// An image is at work.
    pub fn begin(&self, image: &ImageName, version: &Version, since: Instant) {
        let mut state = self.0.lock();
        state.running.push(Running {
            image: image.clone(),
            version: version.clone(),
            step: String::new(),
            since,
        });
        if !state.started {
            state.started = true;
            let shared = Arc::clone(&self.0);
            std::thread::spawn(move || shared.draw(since));
        }
    }

    /// It is at another step.
    pub fn step(&self, image: &ImageName, what: &str) {
        let mut state = self.0.lock();
        let running = state.running.iter_mut().find(|running| running.image == *image);
        if let Some(running) = running {
            what.clone_into(&mut running.step);
        }
    }

    /// It is at work no more.
    pub fn ended(&self, image: &ImageName) {
        self.0.lock().running.retain(|running| running.image != *image);
    }

    /// Says lines that stay.
    pub fn above(&self, say: impl FnOnce()) {
        let mut state = self.0.lock();
        self.0.clear(&mut state);
        say();
    }

    /// Nothing is drawn from now on.
    pub fn end(&self) {
        let mut state = self.0.lock();
        state.ended = true;
        self.0.clear(&mut state);
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what is drawn off the screen.
    fn clear(&self, state: &mut State) {
        if state.drawn > 0 {
            self.ui.erase(state.drawn);
            state.drawn = 0;
        }
    }

    /// Draws until the end; the first time half a second after `begun`.
    fn draw(&self, begun: Instant) {
        let mut wait = FIRST.saturating_sub(begun.elapsed());
        let mut state = self.lock();
        while !state.ended {
            let waited = self.changed.wait_timeout(state, wait);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            wait = EVERY;
            if !state.ended {
                self.clear(&mut state);
                let lines = lines(&state.running, table::terminal_width().unwrap_or(80));
                state.drawn = lines.len();
                self.ui.draw(&lines.concat());
            }
        }
    }
}

/// One line for each image at work, the oldest first, none wider than the terminal.
fn lines(running: &[Running], width: usize) -> Vec<String> {
    let line = |running: &Running| {
        let seconds = running.since.elapsed().as_secs();
        line(running, &format!("{}:{:02}", seconds / 60, seconds % 60), width)
    };
    running.iter().take(MOST).map(line).collect()
}

/// `  Building api 3.2.0  [4/9] RUN cargo build --release      0:41`.
fn line(running: &Running, time: &str, width: usize) -> String {
    let lead = format!("{:>10} ", "Building");
    let what = plain(&format!(
        "{} {}  {}",
        running.image, running.version, running.step
    ));
    let room = width.saturating_sub(lead.len() + time.len() + 2);
    let cut: String = match what.chars().count() > room {
        true => what.chars().take(room.saturating_sub(1)).chain(['…']).collect(),
        false => what,
    };
    format!("{LEAD}{lead}{LEAD:#}{cut:<room$} {time}\n")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
mod tests {
    use super::*;

    fn running(step: &str) -> Running {
        Running {
            image: ImageName::new("api").unwrap(),
            version: Version::new(3, 2, 0),
            step: step.into(),
            since: Instant::now(),
        }
    }

    fn drawn(step: &str, width: usize) -> String {
        anstream::adapter::strip_str(&line(&running(step), "0:41", width)).to_string()
    }

    #[test]
    fn a_line_holds_image_step_and_time() {
        let want = "  Building api 3.2.0  [4/9] RUN cargo build --release                        0:41\n";
        assert_eq!(drawn("[4/9] RUN cargo build --release", 82), want);
    }

    #[test]
    fn a_long_step_is_cut_to_the_terminal_and_control_characters_do_not_reach_it() {
        let line = drawn("[4/9] RUN \x1b[2Jcargo build --release --workspace", 40);
        assert_eq!(line.trim_end_matches('\n').chars().count(), 39);
        assert!(line.contains('…') && !line.contains('\x1b'), "{line}");
    }

    #[test]
    fn a_narrow_terminal_stops_nothing() {
        (0..40).for_each(|width| assert!(drawn("step", width).ends_with(" 0:41\n")));
    }
}
