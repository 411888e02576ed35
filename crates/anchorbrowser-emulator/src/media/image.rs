//! Screenshots.

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter};

/// The longest side of a picture.
const LONGEST: u32 = 4096;

/// How wide the frame around the picture is, in pixels.
const FRAME: u32 = 8;

/// The side of a square of the checker, in pixels.
const SQUARE: u32 = 64;

/// A picture of `width` by `height` pixels, each brought into 1 to 4096: a checker of two near colours in a dark
/// frame. The colours follow from `seed`, so that two screenshots can be told apart.
pub(crate) fn png(width: u32, height: u32, seed: u64) -> Vec<u8> {
    // Writing to memory does not fail, and the sizes are in range. An empty file is still better than a panic.
    encode(width.clamp(1, LONGEST), height.clamp(1, LONGEST), seed).unwrap_or_default()
}

fn encode(width: u32, height: u32, seed: u64) -> Result<Vec<u8>, EncodingError> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    // One byte for each pixel keeps the largest picture at 16 MiB before compression; true colour takes three.
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette(palette(seed));
    encoder.set_compression(Compression::Fast);
    // Most rows equal the row above, which leaves zeros.
    encoder.set_filter(Filter::Up);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels(width, height))?;
    writer.finish()?;
    Ok(file)
}

/// Frame, light square, dark square.
fn palette(seed: u64) -> Vec<u8> {
    // Spreads neighbouring seeds over the colours.
    let [red, green, blue, ..] = seed
        .wrapping_add(1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .to_be_bytes();
    let light = [red, green, blue].map(|part| 96 + part / 2);
    let dark = light.map(|part| part - 16);
    [[32, 32, 32], light, dark].concat()
}

fn pixels(width: u32, height: u32) -> Vec<u8> {
    let row = |y: u32| (0..width).map(move |x| colour(x, y, width, height));
    (0..height).flat_map(row).collect()
}

/// The palette entry of one pixel.
fn colour(x: u32, y: u32, width: u32, height: u32) -> u8 {
    let edge = x.min(y).min(width - 1 - x).min(height - 1 - y);
    if edge < FRAME {
        0
    } else if (x / SQUARE + y / SQUARE).is_multiple_of(2) {
        1
    } else {
        2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(file: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        reader.finish().unwrap();
        pixels.truncate(info.buffer_size());
        (info.width, info.height, pixels)
    }

    #[test]
    fn a_picture_has_the_size_asked_for() {
        for (width, height) in [(1, 1), (1, 300), (7, 5), (320, 200), (1440, 900)] {
            let (w, h, pixels) = decode(&png(width, height, 7));
            assert_eq!((w, h), (width, height));
            assert_eq!(
                pixels.len() as u64,
                u64::from(width) * u64::from(height) * 3
            );
        }
    }

    #[test]
    fn sizes_out_of_range_are_brought_into_it() {
        assert_eq!(decode(&png(0, 0, 1)).0, 1);
        let (width, height, _) = decode(&png(u32::MAX, 2, 1));
        assert_eq!((width, height), (LONGEST, 2));
        let (width, height, _) = decode(&png(2, 4097, 1));
        assert_eq!((width, height), (2, LONGEST));
    }

    #[test]
    fn the_seed_decides_the_colours_and_nothing_else_does() {
        assert_eq!(png(64, 64, 3), png(64, 64, 3));
        for seed in [0, 1, u64::MAX - 1] {
            assert_ne!(png(64, 64, seed), png(64, 64, seed + 1));
        }
    }

    #[test]
    fn a_screenshot_is_small() {
        let size = png(1440, 900, 42).len();
        assert!(size < 32 * 1024, "{size}");
    }
}
