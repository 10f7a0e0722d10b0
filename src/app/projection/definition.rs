//! What a version of a projection is: a piece of this program, or a stored query.

use crate::app::error::{AppError, Result};
use crate::app::vantage::Vantage;
use crate::domain::projection::ProjectionName;
use crate::domain::{ProjectionId, Series};
use crate::projections::Projection;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How a projection is answered.
#[derive(Clone)]
pub enum Body {
    /// By the program, symbol by symbol.
    Program(Arc<dyn Projection>),
    /// By a query.
    Query {
        /// The query.
        text: String,
        /// Whether it is asked for each symbol (it names `:symbol`), or once.
        by_symbol: bool,
    },
}

/// What a projection is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Views.
    pub views: BTreeSet<Series>,
    /// Projections.
    pub projections: Vec<ProjectionName>,
    /// Whether the log itself is looked at: batches, events, sources, assertions.
    pub log: bool,
}

impl Inputs {
    /// Their names, for people.
    pub fn names(&self) -> Vec<String> {
        let views = self.views.iter().map(|view| view.name().to_owned());
        let projections = self.projections.iter().map(ToString::to_string);
        views.chain(projections).chain(self.log.then(|| "log".to_owned())).collect()
    }
}

/// A version of a projection.
#[derive(Clone)]
pub struct Definition {
    /// Its name and version.
    pub id: ProjectionId,
    /// How it is answered.
    pub body: Body,
    /// What it is made from.
    pub inputs: Inputs,
    /// Its columns.
    pub columns: Vec<String>,
}

impl Definition {
    /// One that a program brings.
    ///
    /// # Errors
    /// [`AppError::Projection`] for a name that is none.
    pub fn of(brought: &Arc<dyn Projection>) -> Result<Self> {
        let wrong = |error: crate::domain::projection::WrongName| {
            AppError::Projection(format!("a projection of this program: {error}"))
        };
        let mut columns = vec!["symbol".to_owned()];
        columns.extend(brought.columns().iter().map(|column| column.name.to_owned()));
        let mut projections = Vec::new();
        for name in brought.projections() {
            projections.push(name.parse().map_err(wrong)?);
        }
        Ok(Self {
            id: ProjectionId::new(brought.name(), brought.version()).map_err(wrong)?,
            inputs: Inputs {
                views: brought.views().iter().copied().collect(),
                projections,
                log: false,
            },
            body: Body::Program(Arc::clone(brought)),
            columns,
        })
    }

    /// The views that it is made from, also by way of other projections.
    ///
    /// # Errors
    /// [`AppError::Projection`] for an input that is gone, or a projection made from itself.
    pub fn base_views(&self, vantage: &Vantage) -> Result<BTreeSet<Series>> {
        let mut views = self.inputs.views.clone();
        let inside = vantage.inside(&self.id)?;
        for name in &self.inputs.projections {
            let input = inside.definition(&inside.id(name)?)?;
            views.extend(input.base_views(&inside)?);
        }
        Ok(views)
    }
}
