//! What the operating system refuses, and JSON that cannot be read.

use std::io;
use std::path::PathBuf;

use plimsoll_report::plot::PlotError;
use serde_json::error::Category;
use thiserror::Error;

use super::Words;

/// What cannot be written.
#[derive(Debug, Error)]
pub(crate) enum WriteFault {
    /// To the terminal, a pipe or a file behind stdout.
    #[error("failed to write to stdout: {0}")]
    Stdout(io::Error),
    /// A file, or in a folder.
    #[error("failed to write `{}`: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    /// Pictures that cannot be drawn.
    #[error("failed to draw the pictures: {0}")]
    Pictures(PlotError),
}

impl Words for WriteFault {
    fn zh(&self) -> String {
        match self {
            Self::Stdout(error) => format!("无法写到标准输出：{}", error.zh()),
            Self::File { path, error } => {
                format!("无法写入 `{}`：{}", path.display(), error.zh())
            }
            Self::Pictures(PlotError::Font) => "无法画图：内置字体无法读取".into(),
            Self::Pictures(PlotError::Draw { reason }) => format!("无法画图：「{reason}」"),
        }
    }
}

impl Words for io::Error {
    /// The kinds that come up; anything else by its number, or quoted as it is.
    fn zh(&self) -> String {
        let known = match self.kind() {
            io::ErrorKind::NotFound => "不存在",
            io::ErrorKind::PermissionDenied => "没有权限",
            io::ErrorKind::ConnectionRefused => "连接被拒绝",
            io::ErrorKind::ConnectionReset => "连接被对方重置",
            io::ErrorKind::ConnectionAborted => "连接被中止",
            io::ErrorKind::NotConnected => "没有连接",
            io::ErrorKind::HostUnreachable => "主机不可达",
            io::ErrorKind::NetworkUnreachable => "网络不可达",
            io::ErrorKind::NetworkDown => "网络已断开",
            io::ErrorKind::AddrInUse => "地址已被占用",
            io::ErrorKind::AddrNotAvailable => "没有可用的本地端口或地址",
            io::ErrorKind::BrokenPipe => "管道已关闭",
            io::ErrorKind::AlreadyExists => "已经存在",
            io::ErrorKind::NotADirectory => "不是目录",
            io::ErrorKind::IsADirectory => "是目录",
            io::ErrorKind::DirectoryNotEmpty => "目录不是空的",
            io::ErrorKind::ReadOnlyFilesystem => "文件系统只读",
            io::ErrorKind::StorageFull => "磁盘已满",
            io::ErrorKind::QuotaExceeded => "超出磁盘配额",
            io::ErrorKind::FileTooLarge => "文件太大",
            io::ErrorKind::TimedOut => "超时",
            io::ErrorKind::UnexpectedEof => "数据没有到头就断了",
            io::ErrorKind::OutOfMemory => "内存不足",
            io::ErrorKind::InvalidData => "数据无效",
            io::ErrorKind::InvalidInput => "参数无效",
            io::ErrorKind::Interrupted => "被信号打断",
            io::ErrorKind::Unsupported => "系统不支持",
            _ => return format!("「{self}」"),
        };
        match self.get_ref() {
            // Someone else's words say more than the kind.
            Some(inner) => format!("{known}（「{inner}」）"),
            None => known.to_owned(),
        }
    }
}

impl Words for serde_json::Error {
    fn zh(&self) -> String {
        let (line, column) = (self.line(), self.column());
        match self.classify() {
            Category::Io => match self.io_error_kind() {
                Some(kind) => io::Error::from(kind).zh(),
                None => format!("「{self}」"),
            },
            Category::Syntax => format!("第 {line} 行第 {column} 列不是 JSON"),
            Category::Eof => format!("第 {line} 行第 {column} 列处 JSON 不完整"),
            Category::Data => format!("第 {line} 行第 {column} 列的内容不对：「{self}」"),
        }
    }
}
