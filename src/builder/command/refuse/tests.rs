use super::super::look::tests::found;
use super::*;
use crate::containerfile::{ResolveError, parse, resolve};
use crate::model::{Digest, ImageName, Platform};
use std::collections::BTreeMap;

/// `base` is an image of the project, all others are outside.
struct World;

impl resolve::World for World {
    fn project_image(&self, reference: &str) -> Result<Option<resolve::ProjectRef>, ResolveError> {
        let image = (reference == "base").then(|| ImageName::new("base").unwrap());
        Ok(image.map(|image| resolve::ProjectRef {
            image,
            tag: None,
            digest: None,
        }))
    }

    fn base(&self, base: &resolve::Base) -> Result<resolve::BaseFacts, ResolveError> {
        let onbuild = match base {
            resolve::Base::Project(_) => Vec::new(),
            resolve::Base::External { .. } => vec!["COPY --from=base /a /b".to_owned()],
        };
        let locked = match base {
            resolve::Base::External { reference, .. } => reference.name() == "x.y/locked",
            resolve::Base::Project(_) => false,
        };
        Ok(resolve::BaseFacts {
            digest: locked.then(|| Digest::of(b"locked")),
            onbuild: if locked { Vec::new() } else { onbuild },
            ..resolve::BaseFacts::default()
        })
    }
}

fn refusal(name: &str, text: &str) -> Option<String> {
    let platform = Platform::default();
    let contexts = BTreeMap::from([("folder".to_owned(), resolve::NamedContext::Folder)]);
    let inputs = resolve::Inputs {
        args: &BTreeMap::new(),
        target: None,
        platform: &platform,
        contexts: &contexts,
        world: &World,
    };
    let recipe = resolve(&parse(text.as_bytes()).unwrap(), &inputs).unwrap();
    let refused = refuses(&found(name), &recipe)?;
    let BuildError::Refused { line, what, hint, .. } = refused else {
        panic!("{refused}");
    };
    assert!(!hint.is_empty());
    Some(format!("{line}: {what}"))
}

/// Who refuses a text: o(ld), c(lassic), b(uildah); nobody else ever does.
fn who(text: &str) -> String {
    assert_eq!(refusal("buildctl", text), None, "{text}");
    let letters = [("old", 'o'), ("classic", 'c'), ("buildah", 'b')];
    letters
        .iter()
        .filter(|(name, _)| refusal(name, text).is_some())
        .map(|(_, letter)| letter)
        .collect()
}

#[test]
fn each_construct_is_refused_by_those_who_read_it_differently() {
    for (text, want) in [
        ("COPY a /a", ""),
        ("RUN a\nCMD b", ""),
        ("COPY <<E /a\nx\nE", "ocb"),
        ("RUN <<E\nx\nE", "ocb"),
        ("ONBUILD RUN <<E\nx\nE", "ocb"),
        ("COPY --parents a /a", "ocb"),
        ("COPY --exclude=x a /a", "ocb"),
        ("COPY --link a /a", "ocb"),
        ("COPY --chmod=755 a /a", "oc"),
        ("COPY --chmod=0755 a /a", "oc"),
        ("COPY --chmod=4755 a /a", "ocb"),
        ("COPY --chmod=u+x a /a", "ocb"),
        ("COPY a /d/.", "ocb"),
        (
            "ADD --checksum=sha256:0000000000000000000000000000000000000000000000000000000000000000 http://x/y /y",
            "ocb",
        ),
        ("ADD --unpack=false a /a", "ocb"),
        ("COPY --from=folder a /a", "oc"),
        ("RUN --mount=type=cache,target=/c a", "c"),
        ("RUN --mount=target=/c,from=base a", "c"),
        ("RUN --mount=target=/c a", "c"),
        ("RUN --mount=target=/c,rw a", "cb"),
        ("RUN --mount=target=/c,rw,from=base a", "c"),
        ("RUN --mount=type=secret,id=s a", "c"),
        ("RUN --mount=type=secret,id=s,env=S a", "ocb"),
        ("RUN --network=none a", "ocb"),
        ("RUN --security=insecure a", "ocb"),
        ("ENV A=${B:-x}${C:+y}", ""),
        ("ARG V\nENV A=${V#v}", "ocb"),
        ("ARG V\nENV A=${V-v}", "ocb"),
        ("ARG V=1\nENV A=${V:?v}", "b"),
        ("ARG V\nRUN echo ${V#v}", ""),
        ("ENV A=1\nARG A=2\nRUN a", "cb"),
        ("ARG TARGETSTAGE", "ocb"),
        ("USER 5\nWORKDIR /w", "cb"),
        ("USER root\nWORKDIR /w", ""),
        ("WORKDIR /w\nUSER 5", ""),
        ("SHELL [\"x\"]\nCMD a", "b"),
        ("SHELL [\"x\"]\nCMD [\"a\"]", ""),
        ("ENTRYPOINT [\"a\"]", "b"),
        ("ENTRYPOINT [\"a\"]\nCMD [\"b\"]", ""),
        ("CMD [\"b\"]\nENTRYPOINT [\"a\"]", "b"),
        ("HEALTHCHECK --start-interval=1s CMD a", "ocb"),
    ] {
        assert_eq!(who(&format!("FROM base\n{text}")), want, "{text}");
    }
}

#[test]
fn what_stages_hand_down_is_looked_at() {
    for (text, want) in [
        ("FROM base AS a\nARG V=1\nFROM a\nRUN x", "cb"),
        ("FROM base AS a\nARG V=1\nFROM a\nARG V\nRUN x", ""),
        ("FROM base AS a\nARG V=1\nFROM a\nLABEL l=$V", "cb"),
        ("FROM base AS a\nARG V=1\nFROM a\nLABEL l=$W", ""),
        (
            "FROM base AS a\nARG V=1\nFROM base\nRUN x\nCOPY --from=a /x /x",
            "",
        ),
        ("FROM base AS a\nUSER 5\nFROM a\nWORKDIR /w", "cb"),
        ("FROM base AS a\nENTRYPOINT x\nFROM base\nCOPY --from=a /x /x", ""),
        ("FROM base AS a\nCOPY --link x /x\nFROM base", ""),
        ("FROM folder", "ocb"),
        ("FROM --platform=linux/arm64 base", "c"),
        ("FROM scratch\nENTRYPOINT [\"a\"]", ""),
        ("# syntax=acme/own\nFROM scratch", "cb"),
        ("# syntax=docker/dockerfile:1\nARG V\nFROM scratch\nENV A=$V", ""),
    ] {
        assert_eq!(who(text), want, "{text}");
    }
}

#[test]
fn newer_ones_are_asked_again() {
    let heredoc = "FROM base\nRUN <<E\nx\nE";
    for (name, refused) in [
        ("buildah-1.33", false),
        ("podman-4.9", false),
        ("podman-4.8", true),
        ("docker-28", false),
    ] {
        assert_eq!(refusal(name, heredoc).is_some(), refused, "{name}");
    }
}

#[test]
fn what_no_builder_can_be_given_is_refused_by_all() {
    let said = refusal("buildctl", "FROM scratch AS x\nFROM other").unwrap();
    assert_eq!(
        said,
        "2: the base's ONBUILD names an image of the project: COPY --from=base /a /b"
    );
    let said = refusal("buildctl", "# syntax=acme/own\nFROM base").unwrap();
    assert_eq!(
        said,
        "2: images of the project cannot be given to another frontend"
    );
}

#[test]
fn a_refusal_names_line_and_construct() {
    let said = |name| refusal(name, "FROM base\n\nCOPY --link a /a").unwrap();
    assert_eq!(said("buildah"), "3: buildah does not know COPY with --link");
    assert_eq!(
        said("classic"),
        "3: docker without BuildKit does not know COPY with --link"
    );
    assert_eq!(
        said("old"),
        "3: the BuildKit of docker 20.10 does not know COPY with --link"
    );
}

#[test]
fn a_trigger_that_names_a_locked_image_by_its_tag_is_refused_by_all() {
    let text = "FROM scratch AS x\nONBUILD COPY --from=x.y/locked:1 /a /b\nFROM x\n";
    for name in ["buildctl", "buildah", "old", "classic"] {
        let said = refusal(name, text);
        let want = "3: the base's ONBUILD names an image by its tag alone: COPY --from=x.y/locked:1 /a /b";
        assert_eq!(said.as_deref(), Some(want), "{name}");
    }
    let pinned = format!(
        "FROM scratch AS x\nONBUILD COPY --from=x.y/locked@{} /a /b\nFROM x\n",
        Digest::of(b"locked")
    );
    assert_eq!(refusal("buildctl", &pinned), None);
}
