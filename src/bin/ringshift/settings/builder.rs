#![expect(clippy::disallowed_methods, reason = "edge: the environment")]
//! Who builds, and with which further arguments.

use super::{Setting, origin, words};
use ringshift::config::{self, Project};
use ringshift::engine::Failure;
use ringshift::model::{BuilderKind, near, reference};
use ringshift::plan::Refusal;

/// Who builds, as flag, variables and rings.yaml say it.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Who was asked for; none: whoever can be used.
    pub kind: Option<Setting<BuilderKind>>,
    args: Option<Setting<Vec<String>>>,
    engine: Option<Setting<Vec<String>>>,
    /// Where layers are kept for other machines.
    pub layers: Option<Setting<String>>,
    file: Option<config::Builder>,
}

impl Choice {
    /// Flag (or its variable), then rings.yaml.
    ///
    /// # Errors
    /// [`Refusal::Usage`] for a name that no builder has, and for variables that are no words.
    pub fn of(flag: Option<&str>, project: Option<&Project>) -> Result<Self, Failure> {
        let file = project.and_then(|project| project.builder.clone());
        let said = flag.map(|name| {
            let from = origin("RINGSHIFT_BUILDER", "--builder", name);
            kind(name, &from).map(|value| Setting { value, from })
        });
        let written = file.as_ref().map(|builder| Setting {
            value: builder.kind,
            from: "rings.yaml".into(),
        });
        Ok(Self {
            kind: said.transpose()?.or(written),
            args: words_of("RINGSHIFT_BUILDER_ARGS")?,
            engine: words_of("RINGSHIFT_ENGINE_ARGS")?,
            layers: layers_of(&file),
            file,
        })
    }

    /// With `--layer-cache` (or its variable), which wins over rings.yaml.
    ///
    /// # Errors
    /// [`Refusal::Usage`] for what is no repository, and for a builder that keeps no layers there.
    pub fn with_layers(self, flag: Option<&str>) -> Result<Self, Failure> {
        let Some(text) = flag.filter(|text| !text.is_empty()) else {
            return Ok(self);
        };
        let from = origin("RINGSHIFT_LAYER_CACHE", "--layer-cache", text);
        if let Some(kind) = self
            .kind
            .as_ref()
            .map(|kind| kind.value)
            .filter(|kind| !kind.keeps_layers())
        {
            return Err(usage(
                format!("{from}: {kind} keeps no layers in a registry"),
                "buildx and buildctl do: name one with --builder",
            ));
        }
        let value = reference::repository(text).ok_or_else(|| {
            usage(
                format!("{from}: `{text}` is not a repository"),
                "registry.example.com/acme/layers, without a tag: each image gets one",
            )
        })?;
        let layers = Some(Setting { value, from });
        Ok(Self { layers, ..self })
    }

    /// As [`Choice::of`], for verbs that have no such flag.
    ///
    /// # Errors
    /// As [`Choice::of`].
    pub fn without_flag(project: Option<&Project>) -> Result<Self, Failure> {
        let variable = |name| std::env::var(name).ok();
        let choice = Self::of(variable("RINGSHIFT_BUILDER").as_deref(), project)?;
        choice.with_layers(variable("RINGSHIFT_LAYER_CACHE").as_deref())
    }

    /// What stands after the `build` of a builder. The arguments of rings.yaml are for the builder that it names.
    pub fn args(&self, kind: BuilderKind) -> Option<Setting<Vec<String>>> {
        self.of_kind(kind, &self.args, |file| &file.args)
    }

    /// What stands before it, for the engine behind.
    pub fn engine(&self, kind: BuilderKind) -> Option<Setting<Vec<String>>> {
        self.of_kind(kind, &self.engine, |file| &file.engine)
    }

    /// The settings as `config` shows them: name, value, origin.
    pub fn rows(&self) -> Vec<(&'static str, String, String)> {
        let mut rows = Vec::new();
        match &self.kind {
            Some(kind) => rows.push(("builder", kind.value.to_string(), kind.from.clone())),
            None => rows.push((
                "builder",
                "native, else the first that can be used".into(),
                "default".into(),
            )),
        }
        let kind = self.kind.as_ref().map_or(BuilderKind::Native, |kind| kind.value);
        let further = [
            ("builder-args", self.args(kind)),
            ("engine-args", self.engine(kind)),
        ];
        for (name, setting) in further {
            rows.extend(setting.map(|setting| (name, setting.value.join(" "), setting.from)));
        }
        let layers = self.layers.clone();
        rows.extend(layers.map(|layers| ("layer-cache", layers.value, layers.from)));
        rows
    }

    fn of_kind(
        &self,
        kind: BuilderKind,
        variable: &Option<Setting<Vec<String>>>,
        of: impl Fn(&config::Builder) -> &Vec<String>,
    ) -> Option<Setting<Vec<String>>> {
        let written = || {
            let file = self.file.as_ref().filter(|file| file.kind == kind)?;
            (!of(file).is_empty()).then(|| Setting {
                value: of(file).clone(),
                from: "rings.yaml".into(),
            })
        };
        variable.clone().or_else(written)
    }
}

fn layers_of(file: &Option<config::Builder>) -> Option<Setting<String>> {
    let value = file.as_ref()?.cache.clone()?;
    let from = "rings.yaml".into();
    Some(Setting { value, from })
}

fn kind(name: &str, from: &str) -> Result<BuilderKind, Failure> {
    let names = BuilderKind::ALL.map(BuilderKind::as_str);
    name.parse().map_err(|_| {
        usage(
            format!("{from}: `{name}` is no builder"),
            near::hint(name, "builders", names.into_iter()),
        )
    })
}

fn words_of(variable: &str) -> Result<Option<Setting<Vec<String>>>, Failure> {
    let Ok(text) = std::env::var(variable) else {
        return Ok(None);
    };
    let value = words::split(&text).ok_or_else(|| {
        usage(
            format!("{variable} has a quote that is not closed"),
            "its words are parted as in a shell; put a backslash before a quote that is meant",
        )
    })?;
    let from = variable.to_owned();
    Ok((!value.is_empty()).then_some(Setting { value, from }))
}

/// A wrong command line.
pub(super) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Failure {
    let (message, hint) = (message.into(), hint.into());
    Refusal::Usage { message, hint }.into()
}
