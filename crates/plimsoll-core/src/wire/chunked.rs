//! Chunked transfer coding (RFC 9112 §7.1), a byte at a time where it must, a slice where it can.

use super::fault::HttpFault;

/// Chunks above this are refused: no answer of these protocols is that large, and a size that
/// overflows must not.
const MAX_CHUNK_BYTES: u64 = 1 << 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Size { value: u64, digits: u32 },
    Extension { value: u64 },
    SizeLf { value: u64 },
    Data { left: u64 },
    DataCr,
    DataLf,
    TrailerLine { empty: bool },
    Done,
}

/// Removes chunk framing from a body.
#[derive(Debug)]
pub(crate) struct ChunkedReader {
    state: State,
}

impl ChunkedReader {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Size {
                value: 0,
                digits: 0,
            },
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes bytes, hands out data, and returns what is left after the last chunk's end.
    pub(crate) fn push<'a>(
        &mut self,
        mut bytes: &'a [u8],
        on_data: &mut impl FnMut(&[u8]),
    ) -> Result<&'a [u8], HttpFault> {
        while !bytes.is_empty() && self.state != State::Done {
            if let State::Data { left } = self.state {
                let take = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                on_data(&bytes[..take]);
                bytes = &bytes[take..];
                let left = left - take as u64;
                self.state = if left == 0 {
                    State::DataCr
                } else {
                    State::Data { left }
                };
            } else {
                self.state = self.state.after(bytes[0])?;
                bytes = &bytes[1..];
            }
        }
        Ok(bytes)
    }
}

impl State {
    /// The state after one byte of framing.
    fn after(self, byte: u8) -> Result<Self, HttpFault> {
        Ok(match (self, byte) {
            (Self::Size { value, digits }, _) if byte.is_ascii_hexdigit() => {
                let digit = u64::from(char::from(byte).to_digit(16).unwrap_or(0));
                let value = value * 16 + digit;
                if value > MAX_CHUNK_BYTES {
                    return Err(HttpFault::BadChunk);
                }
                Self::Size {
                    value,
                    digits: digits + 1,
                }
            }
            (Self::Size { value, digits: 1.. } | Self::Extension { value }, b'\r') => {
                Self::SizeLf { value }
            }
            (Self::Size { value, digits: 1.. }, b';' | b' ' | b'\t') => Self::Extension { value },
            (Self::Extension { value }, byte) if byte != b'\n' => Self::Extension { value },
            // A bare LF ends a size line too: some servers write it so.
            (
                Self::SizeLf { value }
                | Self::Extension { value }
                | Self::Size { value, digits: 1.. },
                b'\n',
            ) => match value {
                0 => Self::TrailerLine { empty: true },
                left => Self::Data { left },
            },
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataCr | Self::DataLf, b'\n') => Self::Size {
                value: 0,
                digits: 0,
            },
            (Self::TrailerLine { empty }, b'\r') => Self::TrailerLine { empty },
            (Self::TrailerLine { empty: true }, b'\n') => Self::Done,
            (Self::TrailerLine { empty: false }, b'\n') => Self::TrailerLine { empty: true },
            (Self::TrailerLine { .. }, _) => Self::TrailerLine { empty: false },
            _ => return Err(HttpFault::BadChunk),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> Result<(Vec<u8>, usize, bool), HttpFault> {
        let mut reader = ChunkedReader::new();
        let mut data = Vec::new();
        let rest = reader
            .push(bytes, &mut |slice| data.extend_from_slice(slice))?
            .len();
        Ok((data, rest, reader.is_done()))
    }

    #[test]
    fn framing_is_removed_and_the_rest_is_left() {
        assert_eq!(
            decode(b"2\r\nab\r\n3;x=1\r\ncde\r\n0\r\n\r\nNEXT"),
            Ok((b"abcde".to_vec(), 4, true))
        );
        assert_eq!(decode(b"2\nab\n0\n\n"), Ok((b"ab".to_vec(), 0, true)));
        assert_eq!(decode(b"A\r\n0123"), Ok((b"0123".to_vec(), 0, false)));
    }

    #[test]
    fn bad_framing_is_a_fault() {
        for bytes in [
            &b"\r\n"[..],
            b"xyz\r\n",
            b"2\r\nabc",
            b"fffffffffffffffff\r\n",
            b";\r\n",
        ] {
            assert_eq!(
                decode(bytes),
                Err(HttpFault::BadChunk),
                "{}",
                String::from_utf8_lossy(bytes)
            );
        }
    }
}
