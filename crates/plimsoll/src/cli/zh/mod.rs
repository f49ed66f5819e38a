//! The help in Chinese, by command and argument. A test sees that none is missing.

mod commands;
mod shared;

use clap::{Arg, ArgAction, Command};

/// Texts by the name of an argument.
type Texts = &'static [(&'static str, &'static str)];

const ABOUT: [(&str, &str); 10] = [
    (
        "plimsoll",
        "在给定的服务目标内，测出一个大模型服务能承载多少路并发。",
    ),
    ("find", "测出服务能承载多少路并发"),
    ("check", "保持一个负载，看服务能否扛住、需要多少路并发"),
    ("plan", "在并发、用户数、每天请求数、台数和成本之间换算"),
    (
        "report",
        "重新讲述一次测试：文本、Markdown、CSV 或 JSON，中文或英文",
    ),
    ("sim", "把内置引擎作为 OpenAI 兼容服务运行"),
    (
        "selftest",
        "测出本机能驱动多大负载，以及测得的数值有多大误差",
    ),
    ("bench", "替代 `vllm bench serve`：`plimsoll bench serve …`"),
    ("completions", "打印 shell 的补全脚本，补全命令和选项"),
    ("man", "打印手册页"),
];

/// The texts of a command's arguments; the first that has one says it.
fn texts(command: &str) -> Vec<Texts> {
    use commands::{CHECK, COMPLETIONS, FIND, MAN, PLAN, REPORT, SELFTEST, SIM};
    use shared::{BODY, CONNECTION, ENGINE, LENGTHS, OBJECTIVES, REQUESTS, SERVER, SHOWN};
    let loaded = [
        SERVER, CONNECTION, OBJECTIVES, LENGTHS, REQUESTS, BODY, SHOWN, ENGINE,
    ];
    match command {
        "find" => [&[FIND], loaded.as_slice()].concat(),
        "check" => [&[CHECK], loaded.as_slice()].concat(),
        "plan" => vec![PLAN, SHOWN],
        "report" => vec![REPORT, SHOWN],
        "sim" => vec![SIM, REQUESTS, SHOWN, ENGINE],
        "selftest" => vec![SELFTEST, SHOWN],
        "completions" => vec![COMPLETIONS],
        "man" => vec![MAN],
        _ => Vec::new(),
    }
}

/// What an argument of a command does.
fn text(command: &str, argument: &str) -> Option<&'static str> {
    match argument {
        "help" => return Some("显示帮助"),
        "version" => return Some("显示版本"),
        _ => {}
    }
    let mut tables = texts(command).into_iter();
    tables.find_map(|table| look_up(table, argument))
}

fn look_up(table: &[(&str, &'static str)], key: &str) -> Option<&'static str> {
    table
        .iter()
        .find(|(name, _)| *name == key)
        .map(|(_, text)| *text)
}

/// Puts the Chinese texts into a command and its subcommands.
pub(super) fn translate(command: Command) -> Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|subcommand| subcommand.get_name().to_owned())
        .collect();
    let mut command = translate_one(command);
    for name in names {
        command = command.mut_subcommand(name, translate_one);
    }
    let version = Arg::new("version")
        .short('V')
        .long("version")
        .action(ArgAction::Version);
    command
        .disable_help_subcommand(true)
        .subcommand_help_heading("命令")
        .disable_version_flag(true)
        .arg(translate_argument("plimsoll", version))
}

fn translate_one(mut command: Command) -> Command {
    if let Some(about) = look_up(&ABOUT, command.get_name()) {
        command = command.about(about);
    }
    let name = command.get_name().to_owned();
    let help = Arg::new("help")
        .short('h')
        .long("help")
        .action(ArgAction::Help);
    command
        .disable_help_flag(true)
        .arg(help)
        .mut_args(|argument| translate_argument(&name, argument))
        .help_template("{about}\n\n用法：{usage}\n\n{all-args}")
}

fn translate_argument(command: &str, argument: Arg) -> Arg {
    let heading = match argument.get_help_heading() {
        Some("Connection") => "连接",
        Some(_) => "内置引擎",
        None if argument.is_positional() => "参数",
        None => "选项",
    };
    let text = text(command, argument.get_id().as_str()).unwrap_or_default();
    let argument = argument.help_heading(heading);
    if !argument.get_action().takes_values() {
        return argument.help(text);
    }
    let choices: Vec<String> = argument
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    let defaults: Vec<String> = argument
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    let text = format!(
        "{text}{}{}",
        in_brackets("可选", &choices),
        in_brackets("默认", &defaults)
    );
    argument
        .help(text)
        .hide_default_value(true)
        .hide_possible_values(true)
}

/// `（可选：a、b）`, or nothing.
fn in_brackets(what: &str, values: &[String]) -> String {
    if values.is_empty() {
        String::new()
    } else {
        format!("（{what}：{}）", values.join("、"))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn no_argument_lacks_its_chinese() {
        for command in super::super::Cli::command().get_subcommands() {
            let name = command.get_name();
            assert!(look_up(&ABOUT, name).is_some(), "{name}");
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                assert!(text(name, id).is_some(), "{name} {id}");
            }
        }
    }

    #[test]
    fn no_text_is_of_an_argument_that_is_gone() {
        let cli = super::super::Cli::command();
        let mut known: Vec<&str> = Vec::new();
        let commands: Vec<&Command> = cli.get_subcommands().collect();
        for command in &commands {
            known.extend(command.get_arguments().map(|one| one.get_id().as_str()));
            let own = texts(command.get_name()).into_iter().next();
            for (id, _) in own.unwrap_or_default() {
                let has = command.get_arguments().any(|one| one.get_id() == id);
                assert!(has, "{} has no {id}", command.get_name());
            }
        }
        for (id, _) in commands
            .iter()
            .flat_map(|one| texts(one.get_name()))
            .flatten()
        {
            assert!(known.contains(id), "{id}");
        }
    }
}
