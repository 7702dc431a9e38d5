//! Whether a request makes sense at all, before anything is decided.

use super::{Request, Target, World};
use crate::plan::Refusal;

/// Refuses what no state could make right (exit 1 and 2).
pub(super) fn check(world: &World<'_>, request: &Request) -> Result<(), Refusal> {
    let (state, sources) = (world.state, world.sources);
    let first = state.first();
    for name in request
        .names
        .iter()
        .chain(&request.majors)
        .filter(|_| !request.from_ante)
    {
        if !sources.images.contains_key(name) {
            return Err(Refusal::no_such_image(name, sources.images.keys()));
        }
    }
    match &request.target {
        Target::Ring(ring) if state.place(ring).is_none() => {
            return Err(Refusal::no_such_ring(ring, &state.chain));
        }
        Target::Ring(ring) if !request.majors.is_empty() && first != Some(ring) => {
            return Err(Refusal::request(
                format!("a major is not made behind the front, and {ring} is"),
                "build it against the first ring or ante",
            ));
        }
        Target::Ante => {
            if request.names.is_empty() {
                return Err(Refusal::Usage {
                    message: "ante takes named images".into(),
                    hint: "ringshift build --ring ante IMAGE…".into(),
                });
            }
            if request.names.contains(&sources.root) {
                return Err(Refusal::request(
                    format!("ante takes no root image, and {} is", sources.root),
                    "name the images that are to be prepared; the root follows when the first ring takes them over",
                ));
            }
            if first.and_then(|ring| state.release(ring)).is_none() {
                return Err(Refusal::request(
                    "ante prepares images beside a running chain, and the first ring holds no release",
                    "run `ringshift build` first",
                ));
            }
        }
        Target::Ring(_) => {}
    }
    if let Some(stray) = request
        .majors
        .iter()
        .find(|m| !request.names.is_empty() && !request.names.contains(*m))
    {
        return Err(Refusal::request(
            format!("a major is asked for {stray}, which is not among the images to build"),
            format!("ringshift build {stray} --major {stray}"),
        ));
    }
    Ok(())
}
