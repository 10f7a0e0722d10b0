//! What commands with pictures share: to a file, or to the terminal.

use crate::app::replace;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::render::{Document, Page};
use clap::Args;
use std::path::PathBuf;

/// Files to write a picture to.
#[derive(Debug, Clone, Args)]
pub(super) struct Files {
    /// Write a picture, for a browser or a document
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write a page with the picture and its data, which works from a file without any network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Files {
    /// Whether any was asked for.
    pub(super) fn any(&self) -> bool {
        self.svg.is_some() || self.html.is_some()
    }
}

/// Writes the files asked for; a person without one, and every program, gets the report.
pub(super) fn show<T: Document + Page>(ui: &mut Ui, files: &Files, report: &T) -> Outcome<Exit> {
    let drawn = files.svg.as_ref().map(|file| (file, report.svg()));
    let page = files.html.as_ref().map(|file| (file, report.html()));
    let mut wrote = false;
    for (file, text) in [drawn, page].into_iter().flatten() {
        replace::replace_file(file, text.as_bytes())?;
        ui.tell(&format!("Wrote {}", file.display()))?;
        wrote = true;
    }
    if !wrote || !ui.for_people() {
        ui.page(report)?;
    }
    Ok(Exit::Done)
}
