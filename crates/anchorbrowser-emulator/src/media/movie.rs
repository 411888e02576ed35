//! What an MP4 file says of itself.

use std::time::Duration;

/// How long a video is. `None` if it is not a whole MP4 file.
pub(crate) fn length(file: &[u8]) -> Option<Duration> {
    if first(file)?.0 != b"ftyp" {
        return None;
    }
    let header = part(part(file, b"moov")?, b"mvhd")?;
    part(file, b"mdat")?;
    let long = header.first()? == &1;
    let (scale, length) = match long {
        true => (number(header, 20, 4)?, number(header, 24, 8)?),
        false => (number(header, 12, 4)?, number(header, 16, 4)?),
    };
    let millis = u128::from(length) * 1_000 / u128::from((scale > 0).then_some(scale)?);
    Some(Duration::from_millis(millis.try_into().ok()?))
}

/// The box at the start: its name, its content, and what follows it.
fn first(boxes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let name = boxes.get(4..8)?;
    let (start, size) = match number(boxes, 0, 4)? {
        1 => (16, number(boxes, 8, 8)?),
        size => (8, size),
    };
    let size = usize::try_from(size).ok()?;
    Some((name, boxes.get(start..size)?, boxes.get(size..)?))
}

/// The content of the first box of this name.
fn part<'a>(mut boxes: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    loop {
        let (name, content, rest) = first(boxes)?;
        if name == wanted {
            return Some(content);
        }
        boxes = rest;
    }
}

/// A number of `size` bytes.
fn number(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + size)?;
    Some(
        bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::RECORDING;

    #[test]
    fn a_whole_file_has_a_length_and_a_part_of_it_has_none() {
        assert_eq!(length(RECORDING), Some(Duration::from_secs(2)));
        for size in 0..RECORDING.len() {
            assert_eq!(length(&RECORDING[..size]), None, "{size}");
        }
        assert_eq!(length(b"not a video"), None);
    }
}
