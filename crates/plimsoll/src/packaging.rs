//! What a package installs beside the program: completions for shells, and man pages. Both are in
//! the language that the program speaks.

use std::io::Write;

use clap::Command;
use clap_mangen::Man;
use plimsoll_report::lang::Lang;

use crate::cli::{Cli, CompletionsArgs, ManArgs};
use crate::exit::Exit;

/// Prints the script that completes commands and options in a shell.
pub(crate) fn completions(args: &CompletionsArgs, lang: Lang) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut Cli::command_in(lang),
        "plimsoll",
        &mut script,
    );
    // A closed pipe is no error.
    drop(std::io::stdout().lock().write_all(&script));
    Exit::Done
}

/// Prints a man page, in roff.
pub(crate) fn man(args: &ManArgs, lang: Lang) -> Exit {
    let page = page(Cli::command_in(lang), args.page.as_deref());
    drop(page.render(&mut std::io::stdout().lock()));
    Exit::Done
}

/// The page of a command, or of the program.
fn page(mut program: Command, name: Option<&str>) -> Man {
    // Only then do commands know the program that they belong to.
    program.build();
    let command = match name.and_then(|name| program.find_subcommand(name)) {
        Some(command) => command.clone(),
        None => program,
    };
    Man::new(command).source(concat!("plimsoll ", env!("CARGO_PKG_VERSION")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(page: &Man) -> String {
        let mut text = Vec::new();
        page.render(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    /// The possible values of the argument of `plimsoll man`.
    fn pages() -> Vec<String> {
        let program = Cli::command_in(Lang::En);
        let man = program.find_subcommand("man").unwrap();
        let argument = man.get_arguments().find(|one| one.get_id() == "page");
        let values = argument.unwrap().get_possible_values();
        values
            .iter()
            .map(|value| value.get_name().to_owned())
            .collect()
    }

    #[test]
    fn every_command_with_options_has_a_page_that_names_them_all() {
        let program = Cli::command_in(Lang::En);
        for command in program.get_subcommands() {
            let options: Vec<_> = command
                .get_arguments()
                .filter_map(|one| one.get_long())
                .collect();
            let has_page = pages().iter().any(|name| name == command.get_name());
            assert_eq!(has_page, !options.is_empty(), "{}", command.get_name());
            if has_page {
                let text = text(&page(program.clone(), Some(command.get_name())));
                assert!(
                    text.contains(&format!("plimsoll\\-{}", command.get_name())),
                    "{text}"
                );
                for option in options {
                    let roff = format!("\\-\\-{}", option.replace('-', "\\-"));
                    assert!(text.contains(&roff), "{option}: {text}");
                }
            }
        }
    }

    #[test]
    fn the_page_of_the_program_names_its_commands_in_the_language_asked_for() {
        let english = text(&page(Cli::command_in(Lang::En), None));
        let chinese = text(&page(Cli::command_in(Lang::Zh), None));
        assert!(english.contains("plimsoll\\-check(1)"), "{english}");
        assert!(
            english.contains("Find how many concurrent streams"),
            "{english}"
        );
        assert!(chinese.contains("保持一个负载"), "{chinese}");
    }
}
