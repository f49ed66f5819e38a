//! Run folders and their files.

use super::Words;
use crate::store::{FileFault, FolderFault};

impl Words for FolderFault {
    fn zh(&self) -> String {
        match self {
            Self::NoRun(path) => {
                format!("`{}` 里没有测试：没有 `events.jsonl`", path.display())
            }
            Self::HasRun(path) => format!("`{}` 里已有一次测试", path.display()),
            Self::BeingWritten(path) => format!("另一次测试正在写入 `{}`", path.display()),
            Self::GoingOn(path) => format!("`{}` 里的测试还在进行", path.display()),
            Self::Unwritable { path, error } => {
                format!("`{}` 无法写入：{}", path.display(), error.zh())
            }
            Self::File { path, fault } => format!("`{}` {}", path.display(), fault.zh()),
        }
    }
}

impl Words for FileFault {
    fn zh(&self) -> String {
        match self {
            Self::Unreadable(error) => format!("无法读取：{}", error.zh()),
            Self::NewerSchema(version) => {
                format!("的格式版本是 {version}，比本程序认识的新")
            }
            Self::NoRun(error) => format!("不是测试结果：{}", error.zh()),
            Self::NoRepeats(error) => format!("不是多次测试的结论：{}", error.zh()),
            Self::NoStart => "不是以测试的开始为开头".into(),
            Self::GoesOn => "在测试结束之后还有内容".into(),
            Self::TwoRuns => "里有两次测试".into(),
            Self::LevelMissing { found, due } => {
                format!("有缺失：应当是第 {due} 档，却是第 {found} 档")
            }
            Self::OddCounts(level) => format!("里第 {level} 档的请求数加起来对不上"),
            Self::ImpossibleTime { name, seconds } => {
                format!("里的时间 `{name}` 不可能是 {seconds} 秒")
            }
            Self::NoEvent { line, error } => {
                format!("有缺失：第 {line} 行不是事件（{}）", error.zh())
            }
            Self::NoRequest { line, level, error } => format!(
                "有缺失：第 {line} 行（第 {level} 档）不是请求记录（{}）",
                error.zh()
            ),
            Self::RequestsMissing { line, found, due } => {
                format!("有缺失：第 {line} 行应当属于第 {due} 档，却属于第 {found} 档")
            }
            Self::EndsEarly { line, level } => {
                format!("在第 {line} 行之前就结束了：缺少第 {level} 档的请求")
            }
            Self::RequestTwice { line, id } => {
                format!("里请求 {id} 出现了两次，第二次在第 {line} 行")
            }
            Self::ImpossibleStamps { line } => format!("第 {line} 行的时间戳不可能成立"),
            Self::OtherRequests(level) => {
                format!("与第 {level} 档结束的请求对不上：有的行丢失、重复或被改动过")
            }
            Self::NoSample { line, error } => {
                format!("有缺失：第 {line} 行不是采样（{}）", error.zh())
            }
            Self::SamplesMissing(level) => {
                format!("与第 {level} 档的服务端数据对不上：缺少这一档的采样")
            }
            Self::OtherRun => "与旁边的 `events.jsonl` 不是同一次测试".into(),
            Self::KnowsMore { levels, in_log } => {
                format!("有 {levels} 档，而旁边的 `events.jsonl` 只有 {in_log} 档：日志缺了一部分")
            }
        }
    }
}
