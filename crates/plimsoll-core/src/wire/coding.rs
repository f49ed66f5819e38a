//! Content codings (RFC 9110 §8.4.1): some servers compress though they were asked not to. What the
//! bytes so far decode to is given out at once, so that each event keeps the stamp of its bytes.

use std::io::{self, Write};

use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::fault::HttpFault;

/// Compressed bytes that are decoded in one go. A byte becomes 1,032 at most (RFC 1951), so that
/// what is held at once stays below 2 MB.
const STEP_BYTES: usize = 1 << 10;
/// No answer is longer once it is decoded: an event is some 300 bytes, and there are 200 thousand of
/// them in this. What goes on is a bomb.
const MOST_DECODED_BYTES: u64 = 64 << 20;

/// Takes the content coding off a body.
#[derive(Debug)]
pub struct Decoder {
    coding: Coding,
    decoded: u64,
}

#[derive(Debug)]
enum Coding {
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    /// Either of the two below, by its first two bytes.
    Deflate(Vec<u8>),
    Zlib(Box<ZlibDecoder<Vec<u8>>>),
    /// Without the frame that the standard asks for, as some servers send it.
    Raw(Box<DeflateDecoder<Vec<u8>>>),
}

impl Decoder {
    /// The decoder for a `Content-Encoding` in lower case; `None` where there is nothing to decode.
    ///
    /// # Errors
    /// A coding that is not known here.
    pub fn of(content_encoding: &str) -> Result<Option<Self>, HttpFault> {
        let coding = match content_encoding.trim() {
            "" | "identity" => return Ok(None),
            "gzip" | "x-gzip" => Coding::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            "deflate" => Coding::Deflate(Vec::new()),
            other => return Err(HttpFault::UnknownCoding(other.to_owned())),
        };
        Ok(Some(Self { coding, decoded: 0 }))
    }

    /// Takes the next bytes and gives out what they decode to.
    ///
    /// # Errors
    /// The bytes are not of the coding, or decode to more than any answer.
    pub fn push(
        &mut self,
        bytes: &[u8],
        on_decoded: &mut impl FnMut(&[u8]),
    ) -> Result<(), HttpFault> {
        for step in bytes.chunks(STEP_BYTES) {
            let mut decoded = self.coding.step(step).map_err(|_| HttpFault::BadCoding)?;
            if !decoded.is_empty() {
                on_decoded(&decoded);
            }
            self.decoded += decoded.len() as u64;
            decoded.clear();
            self.coding.take_back(decoded);
            if self.decoded > MOST_DECODED_BYTES {
                return Err(HttpFault::DecodesToTooMuch);
            }
        }
        Ok(())
    }
}

impl Coding {
    fn step(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(decoder) => {
                decoder.write_all(bytes)?;
                decoder.flush()?;
                Ok(std::mem::take(decoder.get_mut()))
            }
            Self::Zlib(decoder) => {
                decoder.write_all(bytes)?;
                decoder.flush()?;
                Ok(std::mem::take(decoder.get_mut()))
            }
            Self::Raw(decoder) => {
                decoder.write_all(bytes)?;
                decoder.flush()?;
                Ok(std::mem::take(decoder.get_mut()))
            }
            Self::Deflate(first) => {
                first.extend_from_slice(bytes);
                let &[method, flags, ..] = first.as_slice() else {
                    return Ok(Vec::new());
                };
                let first = std::mem::take(first);
                *self = if is_zlib(method, flags) {
                    Self::Zlib(Box::new(ZlibDecoder::new(Vec::new())))
                } else {
                    Self::Raw(Box::new(DeflateDecoder::new(Vec::new())))
                };
                self.step(&first)
            }
        }
    }

    /// Takes the room of what was given out, for what comes next.
    fn take_back(&mut self, room: Vec<u8>) {
        match self {
            Self::Gzip(decoder) => *decoder.get_mut() = room,
            Self::Zlib(decoder) => *decoder.get_mut() = room,
            Self::Raw(decoder) => *decoder.get_mut() = room,
            Self::Deflate(_) => {}
        }
    }
}

/// Whether two bytes begin a zlib stream (RFC 1950 §2.2).
fn is_zlib(method: u8, flags: u8) -> bool {
    method & 0x0f == 8 && (u16::from(method) << 8 | u16::from(flags)).is_multiple_of(31)
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn decoded(coding: &str, pieces: &[&[u8]]) -> Result<Vec<u8>, HttpFault> {
        let mut decoder = Decoder::of(coding)?.unwrap();
        let mut all = Vec::new();
        for piece in pieces {
            decoder.push(piece, &mut |bytes| all.extend_from_slice(bytes))?;
        }
        Ok(all)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    const TEXT: &[u8] = "data: 首字\n\ndata: b\n\n".as_bytes();

    #[test]
    fn every_cut_of_every_coding_decodes_to_the_same() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(TEXT).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(TEXT).unwrap();
        let table = [
            ("gzip", gzip(TEXT)),
            ("x-gzip", [gzip(&TEXT[..5]), gzip(&TEXT[5..])].concat()),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", raw.finish().unwrap()),
        ];
        for (coding, bytes) in table {
            for cut in 0..=bytes.len() {
                let (left, right) = bytes.split_at(cut);
                assert_eq!(
                    decoded(coding, &[left, right]).unwrap(),
                    TEXT,
                    "{coding} {cut}"
                );
            }
        }
    }

    #[test]
    fn what_was_flushed_is_decoded_before_the_end() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let mut decoder = Decoder::of("gzip").unwrap().unwrap();
        for event in ["data: a\n\n", "data: b\n\n"] {
            encoder.write_all(event.as_bytes()).unwrap();
            encoder.flush().unwrap();
            let sent = std::mem::take(encoder.get_mut());
            let mut came = Vec::new();
            decoder
                .push(&sent, &mut |bytes| came.extend_from_slice(bytes))
                .unwrap();
            assert_eq!(came, event.as_bytes());
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_a_fault() {
        assert!(matches!(Decoder::of("br"), Err(HttpFault::UnknownCoding(name)) if name == "br"));
        assert!(Decoder::of("identity").unwrap().is_none());
        assert_eq!(decoded("gzip", &[TEXT]), Err(HttpFault::BadCoding));
        assert_eq!(decoded("deflate", &[TEXT]), Err(HttpFault::BadCoding));
    }

    #[test]
    fn a_bomb_ends() {
        let zeros = vec![0; 1 << 20];
        let bomb = gzip(&zeros);
        let mut decoder = Decoder::of("gzip").unwrap().unwrap();
        let mut most = 0;
        let fault = (0..100).find_map(|_| {
            let mut grown = 0;
            let pushed = decoder.push(&bomb, &mut |bytes| grown = grown.max(bytes.len()));
            most = most.max(grown);
            pushed.err()
        });
        assert_eq!(fault, Some(HttpFault::DecodesToTooMuch));
        assert!(most < 2 << 20, "{most} bytes at once");
    }
}
