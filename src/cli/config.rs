//! `latchkey config`.

use clap::Args;
use serde_json::{Map, json};

use super::out::{Done, Said};
use super::{Common, desk};
use crate::config;

/// Print every setting, as a configuration file to begin with
///
/// Each line is commented out and shows the default; each setting is also an environment variable.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  latchkey config > latchkey.toml
  latchkey config --effective --config latchkey.toml")]
pub(super) struct ConfigCommand {
    /// Print the values that are in force and where each comes from, as JSON; secrets are not shown
    #[arg(long, conflicts_with = "markdown")]
    effective: bool,
    /// Print the reference as a Markdown table
    #[arg(long)]
    markdown: bool,
}

impl ConfigCommand {
    pub(super) fn run(self, common: &Common) -> Done {
        if self.effective {
            let config = desk::load(common, &common.flags())?;
            let rows: Map<_, _> = config
                .effective()
                .iter()
                .map(|row| (row.path.clone(), json!({ "value": row.value, "source": row.source.to_string() })))
                .collect();
            return Said::json(&rows);
        }
        Ok(Said::text(if self.markdown { config::markdown() } else { config::example_file() }))
    }
}
