//! Chunked request bodies.

use crate::server::error::ApiError;

/// Takes the framing off a body at the start of `data`; returns it with the bytes it took, or
/// `None` if its end has not come. Begins anew with every call: it only skips from size to size.
pub(super) fn decode(
    data: &[u8],
    limit_bytes: usize,
) -> Result<Option<(Vec<u8>, usize)>, ApiError> {
    let mut at = 0;
    let mut pieces = Vec::new();
    let mut total = 0_usize;
    loop {
        let Some((start, size)) = size_line(data, at)? else {
            return Ok(None);
        };
        total = total.saturating_add(size);
        if total > limit_bytes {
            return Err(ApiError::bad_request("the request's body is too large"));
        }
        if size == 0 {
            let end = trailer_end(data, start);
            return Ok(end.map(|end| (pieces.concat(), end)));
        }
        let Some(piece) = data.get(start..start + size) else {
            return Ok(None);
        };
        pieces.push(piece);
        at = start + size + 2;
    }
}

/// Where the chunk at `at` begins and how long it is.
fn size_line(data: &[u8], at: usize) -> Result<Option<(usize, usize)>, ApiError> {
    let Some(rest) = data.get(at..) else {
        return Ok(None);
    };
    match httparse::parse_chunk_size(rest) {
        Ok(httparse::Status::Complete((used, size))) => Ok(Some((
            at + used,
            usize::try_from(size).unwrap_or(usize::MAX),
        ))),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(_) => Err(ApiError::bad_request("malformed chunk size")),
    }
}

/// The end of the trailer that begins at `at`: after its empty line.
fn trailer_end(data: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let rest = data.get(at..)?;
        let line = rest.windows(2).position(|two| two == b"\r\n")?;
        at += line + 2;
        if line == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn bodies_end_after_their_trailer_and_within_the_limit() {
        let body = b"2\r\nab\r\n1\r\nc\r\n0\r\nx: y\r\n\r\nGET";
        let (bytes, used) = decode(body, 3).unwrap().expect("a whole body");
        assert_eq!((&*bytes, used), (&b"abc"[..], body.len() - 3));
        assert!(decode(body, 2).is_err());
        assert!(decode(b"ffffffffffffffff\r\n", 2).is_err());
    }
}
