//! Events as JSON lines, while a verb that changes something runs.

use crate::engine::Event;
use serde_json::{Value, json};

/// One event as one line.
pub fn line(event: &Event) -> String {
    let body = match event {
        Event::Planned {
            ring,
            build,
            relabel,
            adopt,
        } => {
            json!({"event": "planned", "ring": ring, "build": build, "relabel": relabel, "adopt": adopt})
        }
        Event::Building {
            image,
            version,
            builder,
        } => {
            json!({"event": "building", "image": image, "version": version, "builder": builder.as_str()})
        }
        Event::Step {
            image,
            version,
            platform,
            line,
            text,
            place: (number, of),
        } => {
            let mut step = json!({"event": "step", "image": image, "version": version, "line": line, "text": text, "number": number, "of": of});
            if let Some(platform) = platform {
                step["platform"] = platform.to_string().into();
            }
            step
        }
        Event::Said { image, line } => json!({"event": "said", "image": image, "line": line}),
        Event::Checking {
            image,
            version,
            command,
        } => {
            json!({"event": "checking", "image": image, "version": version, "command": command})
        }
        Event::Built {
            image,
            version,
            digest,
        } => of_image("built", image, version, digest),
        Event::Relabelled {
            image,
            version,
            digest,
        } => of_image("relabelled", image, version, digest),
        Event::Adopted {
            image,
            version,
            digest,
        } => of_image("adopted", image, version, digest),
        Event::Failed {
            image,
            version,
            message,
            last,
            log,
        } => {
            json!({"event": "failed", "image": image, "version": version, "message": message, "last": last, "log": log})
        }
        Event::Skipped { image, version, base } => {
            json!({"event": "skipped", "image": image, "version": version, "base": base})
        }
        Event::Committed { what, seq } => json!({"event": "committed", "what": what, "seq": seq}),
        Event::Note { message } => json!({"event": "note", "message": message}),
    };
    super::line("event", &body)
}

fn of_image(
    event: &str,
    image: &crate::model::ImageName,
    version: &crate::model::Version,
    digest: &crate::model::Digest,
) -> Value {
    json!({"event": event, "image": image, "version": version, "digest": digest})
}
