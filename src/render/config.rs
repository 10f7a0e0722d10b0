//! Settings: `config show`, `config path`.

use super::numbers::MISSING;
use super::table::{Side, Table};
use super::{Document, Grid, Look, json};
use crate::app::report::{ConfigFileLine, ConfigPaths, ConfigReport};

fn files(look: &Look, files: &[ConfigFileLine]) -> String {
    let mut table = Table::bare(look, vec![Side::Left; 3]);
    for file in files {
        let there = if file.there { "" } else { "(not there)" };
        table.row([file.what.to_owned(), file.path.clone(), there.to_owned()]);
    }
    table.finish()
}

impl Document for ConfigReport {
    fn text(&self, look: &Look) -> String {
        let mut table = Table::new(look, &["setting", "value", "from"]);
        for line in &self.settings {
            let value = line.value.clone().unwrap_or_else(|| MISSING.to_owned());
            table.row([line.key.clone(), value, line.from.clone()]);
        }
        format!(
            "{}Settings files, the stronger one last\n{}",
            table.finish(),
            files(look, &self.files)
        )
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.settings)
    }

    fn grid(&self) -> Grid {
        Grid::of(&["key", "value", "from"], &self.settings)
    }
}

impl Document for ConfigPaths {
    fn text(&self, look: &Look) -> String {
        files(look, &self.files)
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.files)
    }

    fn grid(&self) -> Grid {
        Grid::of(&["what", "path", "there"], &self.files)
    }
}
