//! Every command that a document shows exists, with the options that it is shown with; and the README's overview has them all.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::read::{between, code_spans, documents, rows, split_code, text};

/// What the program says of its commands, asked once for each.
#[derive(Default)]
struct Manual(BTreeMap<Vec<String>, String>);

impl Manual {
    fn page(&mut self, command: &[String]) -> &str {
        self.0.entry(command.to_vec()).or_insert_with(|| {
            let asked = Command::new(env!("CARGO_BIN_EXE_latchkey")).args(command).arg("--help").env_clear().output().unwrap();
            assert!(asked.status.success(), "latchkey {} --help: {}", command.join(" "), String::from_utf8_lossy(&asked.stderr));
            String::from_utf8(asked.stdout).unwrap()
        })
    }

    /// The commands below this one.
    fn below(&mut self, command: &[String]) -> Vec<String> {
        let page = self.page(command);
        let Some((_, list)) = page.split_once("\nCommands:\n") else { return Vec::new() };
        let lines = list.lines().take_while(|line| !line.is_empty()).filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        lines.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
    }

    /// Every command that does something by itself.
    fn leaves(&mut self, command: &[String]) -> Vec<String> {
        let below = self.below(command);
        if below.is_empty() {
            return vec![command.join(" ")];
        }
        below.into_iter().flat_map(|name| self.leaves(&[command, &[name]].concat())).collect()
    }

    /// What is wrong with a command line as it is shown.
    fn problem(&mut self, words: &[String]) -> Option<String> {
        let mut command: Vec<String> = Vec::new();
        loop {
            let below = self.below(&command);
            match words.get(command.len()) {
                Some(name) if below.contains(name) => command.push(name.clone()),
                Some(name) if !below.is_empty() && !name.starts_with('-') => return Some(format!("there is no command {name}")),
                _ => break,
            }
        }
        let known: BTreeSet<String> = self.page(&command).split(|c: char| c.is_whitespace() || c == ',').map(str::to_owned).collect();
        let options = words[command.len()..].iter().filter(|word| word.starts_with("--")).map(|word| word.split('=').next().unwrap());
        options.filter(|option| !known.contains(*option)).map(|option| format!("{} has no option {option}", command.join(" "))).next()
    }
}

/// How a document calls the program.
const CALLS: &[&str] = &["latchkey ", "cargo run --release -- ", "docker compose exec latchkey /usr/local/bin/latchkey "];

/// The words behind each call in a line: quotes taken off, ending where the shell would end the command.
fn calls(line: &str) -> Vec<Vec<String>> {
    // At the line's beginning or behind a prompt, a variable's assignment, `$(`, `|` or `&&`; never in the middle of a path or a text.
    let begins = |at: usize| {
        let before = line[..at].trim_end();
        let word = before.rsplit(' ').next().unwrap_or_default();
        before.is_empty()
            || ["$", "$(", "|", "&&"].iter().any(|mark| word.ends_with(mark))
            || (word.contains('=') && line[..at].ends_with(' ') && word.starts_with(char::is_uppercase))
    };
    let mut found = Vec::new();
    for call in CALLS {
        for (at, _) in line.match_indices(call).filter(|(at, _)| begins(*at)) {
            found.push(words(&line[at + call.len()..]));
        }
    }
    found
}

fn words(rest: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in rest.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '|' | '>' | '<' | ';' | '&' | ')') => break,
            (None, ' ') => words.extend((!word.is_empty()).then(|| std::mem::take(&mut word))),
            _ => word.push(c),
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

#[test]
fn every_command_that_is_shown_exists_with_its_options() {
    let mut manual = Manual::default();
    let (mut seen, mut wrong) = (0, Vec::new());
    for document in documents() {
        let (prose, blocks) = split_code(&std::fs::read_to_string(&document).unwrap());
        let whole = blocks.iter().map(|(_, lines)| lines.join("\n").replace("\\\n", " "));
        let lines: Vec<String> = whole.flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        for line in lines.iter().map(String::as_str).chain(code_spans(&prose)) {
            for words in calls(line) {
                seen += 1;
                if let Some(problem) = manual.problem(&words) {
                    wrong.push(format!("{}: {line}: {problem}", document.display()));
                }
            }
        }
    }
    assert!(seen > 20, "the test sees only {seen} commands: it does not read what it should");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// Of some command: which one is meant, prose does not say.
#[test]
fn every_option_that_is_named_exists() {
    let mut manual = Manual::default();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for command in manual.leaves(&[]) {
        let command: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let lines = manual.page(&command).lines().filter(|line| line.trim_start().starts_with('-'));
        let words = lines.flat_map(|line| line.split(|c: char| c.is_whitespace() || c == ',' || c == '['));
        known.extend(words.filter(|word| word.starts_with("--")).map(str::to_owned));
    }
    let (mut seen, mut wrong) = (0, Vec::new());
    for document in documents() {
        let (prose, _) = split_code(&std::fs::read_to_string(&document).unwrap());
        for option in
            code_spans(&prose).into_iter().filter(|span| span.starts_with("--")).map(|span| span.split([' ', '=']).next().unwrap())
        {
            seen += 1;
            if !known.contains(option) {
                wrong.push(format!("{}: there is no option {option}", document.display()));
            }
        }
    }
    assert!(seen > 5, "the test sees only {seen} options: it does not read what it should");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_overview_has_every_command() {
    let readme = text("README.md");
    let overview = rows(between(&readme, "<!-- commands -->", "<!-- /commands -->"));
    let shown: BTreeSet<String> = overview.iter().map(|row| row[0].trim_matches('`').trim_start_matches("latchkey ").to_owned()).collect();
    assert_eq!(shown, Manual::default().leaves(&[]).into_iter().collect());
}

#[test]
fn a_command_line_is_read_as_the_shell_reads_it() {
    assert_eq!(calls("latchkey client create --name 'My app' > client.json"), [["client", "create", "--name", "My app"]]);
    assert_eq!(calls("$ KEY=$(latchkey keys list | jq .)"), [["keys", "list"]]);
    assert_eq!(calls("LATCHKEY_LOG_FORMAT=json latchkey serve"), [["serve"]]);
    assert!(calls("alias latchkey=target/release/latchkey").is_empty() && calls("the latchkey program").is_empty());
    let problem = |line: &str| Manual::default().problem(&words(line));
    assert_eq!(problem("client create --name x --public"), None);
    assert_eq!(problem("client make"), Some("there is no command make".to_owned()));
    assert_eq!(problem("keys rotate --now"), Some("keys rotate has no option --now".to_owned()));
}
