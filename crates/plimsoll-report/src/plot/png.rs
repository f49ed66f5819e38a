//! PNG files in memory: plotters' own writer only writes to a path.

use super::PlotError;

/// Returns `rgb`, rows of `width` pixels, as a PNG file.
pub(super) fn encode(width: u32, rgb: &[u8]) -> Result<Vec<u8>, PlotError> {
    let height = (rgb.len() / (width as usize * 3)) as u32;
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Best);
    encoder.set_filter(png::FilterType::Up);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(rgb))
        .map_err(|error| PlotError::Draw {
            reason: error.to_string(),
        })?;
    Ok(file)
}
