//! What helm says of charts: asked and remembered, or remembered from before.

use crate::kustomize::{Chart, Helm};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Answers for charts.
pub(super) struct Charts<'a> {
    /// Who is asked; nobody when all is known.
    helm: Option<&'a dyn Helm>,
    said: Mutex<BTreeMap<String, String>>,
}

impl<'a> Charts<'a> {
    /// Asks `helm`, and remembers.
    pub fn recording(helm: &'a dyn Helm) -> Self {
        Self {
            helm: Some(helm),
            said: Mutex::default(),
        }
    }

    /// Knows what was said, and asks nobody.
    pub fn said(said: &BTreeMap<String, String>) -> Self {
        Self {
            helm: None,
            said: Mutex::new(said.clone()),
        }
    }

    /// What was said.
    pub fn into_said(self) -> BTreeMap<String, String> {
        self.said.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Helm for Charts<'_> {
    fn template(&self, chart: &Chart) -> Result<String, String> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = said.get(&chart.key) {
            return Ok(text.clone());
        }
        let helm = self
            .helm
            .ok_or("the release does not hold what helm made of it")?;
        let text = helm.template(chart)?;
        said.insert(chart.key.clone(), text.clone());
        Ok(text)
    }
}
