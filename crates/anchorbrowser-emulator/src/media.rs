//! Pictures, documents and recordings that the emulator answers with. All are made up and small, and all are
//! valid files of their kind, so that a client can hand them to a decoder.

mod image;
mod movie;
mod page;

pub(crate) use image::png;
pub(crate) use movie::length;
pub(crate) use page::pdf;

/// A session recording: MP4 with H.264, 320x200 pixels, two seconds of 10 pictures, index first.
pub(crate) const RECORDING: &[u8] = include_bytes!("media/recording.mp4");

#[cfg(test)]
mod tests {
    use super::*;

    /// The boxes at the top of an MP4 file, in order.
    fn boxes(mut rest: &[u8]) -> Vec<(String, &[u8])> {
        let mut found = Vec::new();
        while !rest.is_empty() {
            let size = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
            found.push((
                String::from_utf8(rest[4..8].to_vec()).unwrap(),
                &rest[8..size],
            ));
            rest = &rest[size..];
        }
        found
    }

    #[test]
    fn the_index_of_the_recording_comes_before_its_pictures() {
        let names: Vec<String> = boxes(RECORDING).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["ftyp", "moov", "free", "mdat"]);
    }

    #[test]
    fn the_recording_is_as_long_as_stated() {
        let top = boxes(RECORDING);
        let (_, index) = top.iter().find(|(name, _)| name == "moov").unwrap();
        let inner = boxes(index);
        let (_, header) = inner.iter().find(|(name, _)| name == "mvhd").unwrap();
        let number = |at: usize| u32::from_be_bytes(header[at..at + 4].try_into().unwrap());
        let seconds = f64::from(number(16)) / f64::from(number(12));
        assert!((seconds - 2.0).abs() < 1e-9, "{seconds}");
    }
}
