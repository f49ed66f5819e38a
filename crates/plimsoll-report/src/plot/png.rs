//! A small PNG writer for pictures in memory: 8-bit RGB, one `IDAT`, fixed Huffman codes.
//!
//! plotters' own writer only writes to a path. Plots are mostly flat, so a greedy match finder
//! with fixed codes (RFC 1951 §3.2.6) brings them to some tens of kilobytes.

/// Longest and shortest match, and how far back one may lie (RFC 1951 §3.2.5).
const MAX_MATCH: usize = 258;
const MIN_MATCH: usize = 4;
const WINDOW: usize = 32_768;

const HASH_BITS: u32 = 15;

/// Returns `rgb`, rows of `width` pixels, as a PNG file.
pub(super) fn encode(width: u32, rgb: &[u8]) -> Vec<u8> {
    let row_bytes = width as usize * 3;
    let height = (rgb.len() / row_bytes) as u32;
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 2, 0, 0, 0]);

    let rows = filtered(row_bytes, rgb);
    let mut data = vec![0x78, 0x01];
    data.extend(deflate(&rows));
    data.extend(adler32(&rows).to_be_bytes());

    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, *b"IHDR", &header);
    chunk(&mut file, *b"IDAT", &data);
    chunk(&mut file, *b"IEND", &[]);
    file
}

/// Puts the filter "up" (2) before every row: each byte less the one above it.
fn filtered(row_bytes: usize, rgb: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rgb.len() + rgb.len() / row_bytes);
    let zeros = vec![0; row_bytes];
    let mut above = zeros.as_slice();
    for row in rgb.chunks_exact(row_bytes) {
        out.push(2);
        out.extend(row.iter().zip(above).map(|(a, b)| a.wrapping_sub(*b)));
        above = row;
    }
    out
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    file.extend((data.len() as u32).to_be_bytes());
    let start = file.len();
    file.extend(kind);
    file.extend(data);
    let sum = crc32(&file[start..]);
    file.extend(sum.to_be_bytes());
}

/// Bits, least significant first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    pending: u64,
    count: u32,
}

impl Bits {
    fn push(&mut self, value: u32, bits: u32) {
        self.pending |= u64::from(value) << self.count;
        self.count += bits;
        while self.count >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    /// A Huffman code, which is stored most significant bit first.
    fn code(&mut self, code: u32, bits: u32) {
        self.push(code.reverse_bits() >> (32 - bits), bits);
    }

    /// A literal byte, the end mark (256) or a length symbol, in the fixed code.
    fn symbol(&mut self, symbol: u32) {
        match symbol {
            0..=143 => self.code(0x30 + symbol, 8),
            144..=255 => self.code(0x190 + symbol - 144, 9),
            256..=279 => self.code(symbol - 256, 7),
            _ => self.code(0xC0 + symbol - 280, 8),
        }
    }

    fn copy(&mut self, length: usize, distance: usize) {
        if length == MAX_MATCH {
            self.symbol(285);
        } else {
            let (symbol, extra, bits) = bucket(length as u32 - 3, 2);
            self.symbol(257 + symbol);
            self.push(extra, bits);
        }
        let (symbol, extra, bits) = bucket(distance as u32 - 1, 1);
        self.code(symbol, 5);
        self.push(extra, bits);
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.bytes.push(self.pending as u8);
        }
        self.bytes
    }
}

/// Splits `value` into symbol, extra bits and their number; `2^fine` symbols share a bit length.
fn bucket(value: u32, fine: u32) -> (u32, u32, u32) {
    if value < 2 << fine {
        return (value, 0, 0);
    }
    let bits = value.ilog2() - fine;
    let symbol = (bits << fine) + (value >> bits);
    (symbol, value & ((1 << bits) - 1), bits)
}

/// Compresses `data` into one block with fixed codes.
fn deflate(data: &[u8]) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.push(0b011, 3);
    let mut seen = vec![usize::MAX; 1 << HASH_BITS];
    let mut at = 0;
    while at < data.len() {
        let length = match data[at..].first_chunk::<MIN_MATCH>() {
            Some(key) => {
                let hash = u32::from_le_bytes(*key).wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS);
                let before = std::mem::replace(&mut seen[hash as usize], at);
                match_at(data, before, at).inspect(|length| bits.copy(*length, at - before))
            }
            None => None,
        };
        if length.is_none() {
            bits.symbol(u32::from(data[at]));
        }
        at += length.unwrap_or(1);
    }
    bits.symbol(256);
    bits.finish()
}

/// Length of the match between `before` and `at`, if it is worth a copy.
fn match_at(data: &[u8], before: usize, at: usize) -> Option<usize> {
    if before >= at || at - before > WINDOW {
        return None;
    }
    let length = data[at..]
        .iter()
        .zip(&data[before..])
        .take(MAX_MATCH)
        .take_while(|(a, b)| a == b)
        .count();
    (length >= MIN_MATCH).then_some(length)
}

fn adler32(data: &[u8]) -> u32 {
    let (mut a, mut b) = (1_u32, 0_u32);
    // 5552 is the longest run for which `b` cannot overflow (RFC 1950).
    for run in data.chunks(5552) {
        for byte in run {
            a += u32::from(*byte);
            b += a;
        }
        a %= 65_521;
        b %= 65_521;
    }
    b << 16 | a
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let mut c = n as u32;
        let mut k = 0;
        while k < 8 {
            c = if c & 1 == 1 {
                0xEDB8_8320 ^ (c >> 1)
            } else {
                c >> 1
            };
            k += 1;
        }
        table[n] = c;
        n += 1;
    }
    table
};

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0_u32, |c, b| {
        CRC_TABLE[((c ^ u32::from(*b)) & 0xFF) as usize] ^ (c >> 8)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_match_their_published_examples() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11E6_0398);
    }

    #[test]
    fn buckets_match_the_tables_of_rfc_1951() {
        for (length, symbol, extra) in [(3, 257, 0), (10, 264, 0), (11, 265, 0), (12, 265, 1)] {
            let (s, e, _) = bucket(length - 3, 2);
            assert_eq!((257 + s, e), (symbol, extra), "length {length}");
        }
        assert_eq!(bucket(257 - 3, 2), (284 - 257, 30, 5));
        assert_eq!(bucket(5 - 1, 1), (4, 0, 1));
        assert_eq!(bucket(32_768 - 1, 1), (29, 8191, 13));
    }

    #[test]
    fn text_is_compressed_to_what_can_be_read_back() {
        let data: Vec<u8> = (0..60_000_u32)
            .map(|i| (i * i / 977) as u8 & 0x1F)
            .collect();
        for data in [&data[..], b"", b"a", b"aaaaaaaaaaaaaaaaaaaa", &[255; 3000]] {
            assert_eq!(inflate(&deflate(data)), data);
        }
    }

    /// Reads one fixed-code block back, bit by bit.
    fn inflate(packed: &[u8]) -> Vec<u8> {
        let mut at = 3;
        let mut bit = || {
            at += 1;
            u32::from(packed[(at - 1) / 8] >> ((at - 1) % 8) & 1)
        };
        let mut out: Vec<u8> = Vec::new();
        loop {
            let mut code = 0;
            let mut symbol = None;
            for bits in 1..=9 {
                code = code << 1 | bit();
                symbol = match (bits, code) {
                    (7, 0..=0x17) => Some(256 + code),
                    (8, 0x30..=0xBF) => Some(code - 0x30),
                    (8, 0xC0..=0xC7) => Some(280 + code - 0xC0),
                    (9, 0x190..) => Some(144 + code - 0x190),
                    _ => None,
                };
                if symbol.is_some() {
                    break;
                }
            }
            let symbol = symbol.expect("a code of the fixed table");
            match symbol {
                256 => return out,
                0..=255 => out.push(symbol as u8),
                _ => {
                    let (length, _) = undo(symbol - 257, 2, 3, &mut bit);
                    let length = if symbol == 285 { 258 } else { length };
                    let code = (0..5).fold(0, |c, _| c << 1 | bit());
                    let (distance, _) = undo(code, 1, 1, &mut bit);
                    for _ in 0..length {
                        out.push(out[out.len() - distance]);
                    }
                }
            }
        }
    }

    fn undo(symbol: u32, fine: u32, base: u32, bit: &mut impl FnMut() -> u32) -> (usize, u32) {
        if symbol < 2 << fine || (fine == 2 && symbol == 28) {
            return ((symbol + base) as usize, 0);
        }
        let bits = (symbol >> fine) - 1;
        let high = (symbol - (bits << fine)) << bits;
        let low = (0..bits).fold(0, |v, i| v | bit() << i);
        ((high + low + base) as usize, bits)
    }
}
