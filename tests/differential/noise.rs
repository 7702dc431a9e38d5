//! Changes of the container file that say nothing (rules 2, 4, 9, 11, 13).

use super::dice::Dice;
use super::instruct::folded;
use super::world::World;

/// Comments and blank lines between instructions.
pub fn between(dice: &mut Dice, world: &mut World) -> Option<()> {
    let first = usize::from(world.container.first()?.starts_with('#'));
    let at = dice.between(first, world.container.len());
    let line = dice.pick(&["# a word", "", "  # in", "   ", "#", "# escape=`"]);
    // Before all else it is a directive.
    let line = match at == first && line.contains('=') {
        true => "# a word",
        false => line,
    };
    world.container.insert(at, line.into());
    Some(())
}

/// The case of the instruction, blanks before it and after it, CRLF.
pub fn case(dice: &mut Dice, world: &mut World) -> Option<()> {
    let at = dice.below(world.container.len());
    let line = world.container[at].clone();
    if line.starts_with('#') || line.trim().is_empty() {
        return None;
    }
    let (name, rest) = line.split_once(' ').filter(|(name, _)| !name.is_empty())?;
    world.container[at] = match dice.below(5) {
        0 => format!("{} {rest}", name.to_lowercase()),
        1 => {
            let first = name.find(char::is_alphabetic)? + 1;
            let (first, more) = name.split_at(first);
            format!("{first}{} {rest}", more.to_lowercase())
        }
        2 => format!("  {line}"),
        3 if at == 0 => format!("\u{feff}{line}"),
        _ if line.contains('\n') => return None,
        3 => format!("{line}  "),
        _ => format!("{line}\r"),
    };
    Some(())
}

/// An instruction goes on in the next line.
pub fn continuation(dice: &mut Dice, world: &mut World) -> Option<()> {
    let at = dice.below(world.container.len());
    let line = world.container[at].clone();
    if line.starts_with('#') || line.contains('\r') {
        return None;
    }
    world.container[at] = folded(dice, &line, world.escape());
    Some(())
}
