//! Takes one image out of the store: as an OCI layout, or as an archive that `docker load` reads. Edge: it writes
//! the file.

use super::execute::index;
use super::failure::Failure;
use super::store::Store;
use crate::model::{Digest, ImageName, Platform, ProjectName, Version};
use crate::registry::layout::LayoutRegistry;
use crate::registry::{Created, Descriptor, Registry, Repository};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;

/// What is written.
#[derive(Debug, Clone)]
pub enum Form {
    /// An OCI image layout; others that are in the folder stay.
    Layout {
        /// The folder.
        folder: PathBuf,
        /// The tag in it.
        tag: String,
    },
    /// A docker archive.
    DockerArchive {
        /// The file; it must not exist.
        file: PathBuf,
    },
}

/// Writes the image.
///
/// # Errors
/// [`Failure::Request`] when the target is taken by something else; that of the store or the disk.
pub fn export(
    store: &Store,
    image: &ImageName,
    version: &Version,
    digest: &Digest,
    form: &Form,
) -> Result<(), Failure> {
    let repository = store.repository(image);
    match form {
        Form::Layout { folder, tag } => {
            let (parent, name) = match (folder.parent(), folder.file_name()) {
                (Some(parent), Some(name)) => (parent, name.to_string_lossy().into_owned()),
                _ => return Err(Failure::request("name a folder to export to", "oci:FOLDER[:TAG]")),
            };
            layout(store, &repository, digest, parent.to_path_buf(), &name, tag)
        }
        Form::DockerArchive { file } => {
            let name = format!("{}/{image}:{version}", store.project);
            let (_, manifest) = one(store, &repository, digest)?;
            archive(store, &repository, &manifest, file, &name)
        }
    }
}

/// A manifest, as bytes and read.
fn manifest(store: &Store, repository: &Repository, digest: &Digest) -> Result<(Vec<u8>, Value), Failure> {
    let bytes = store.registry.manifest(repository, digest)?;
    let value = serde_json::from_slice(&bytes)
        .map_err(|error| Failure::Bug(format!("manifest {digest} is not JSON: {error}")))?;
    Ok((bytes, value))
}

/// The manifests of an index's images with their digests.
fn entries(bytes: &[u8]) -> Result<Vec<(Digest, Value)>, Failure> {
    let no_digest = || Failure::Bug("an index names no digest".into());
    let entries = index::entries(bytes).unwrap_or_default().into_iter();
    entries
        .map(|entry| Ok((index::digest_of(&entry).ok_or_else(no_digest)?, entry)))
        .collect()
}

/// The manifest of one image: of an index, that for the default platform, or the first.
fn one(store: &Store, repository: &Repository, digest: &Digest) -> Result<(Vec<u8>, Value), Failure> {
    let found = manifest(store, repository, digest)?;
    let all = entries(&found.0)?;
    let usual = all.iter().find(|(_, entry)| {
        let says = |key: &str| entry["platform"][key].as_str();
        let platform = Platform::default();
        says("os") == Some(&platform.os) && says("architecture") == Some(&platform.architecture)
    });
    match usual.or(all.first()) {
        Some((image, _)) => manifest(store, repository, image),
        None => Ok(found),
    }
}

fn blobs(manifest: &Value) -> Result<Vec<Digest>, Failure> {
    let layers = manifest["layers"].as_array().cloned().unwrap_or_default();
    let all = std::iter::once(&manifest["config"]).chain(&layers);
    all.map(|descriptor| {
        let text = descriptor["digest"].as_str().unwrap_or_default();
        text.parse()
            .map_err(|_| Failure::Bug(format!("`{text}` is not a digest")))
    })
    .collect()
}

fn layout(
    store: &Store,
    repository: &Repository,
    digest: &Digest,
    parent: PathBuf,
    name: &str,
    tag: &str,
) -> Result<(), Failure> {
    let bad = |_| {
        Failure::request(
            format!("`{name}` cannot be a folder of images"),
            "use lower-case letters and digits",
        )
    };
    let to = Repository::new(&ProjectName::new(name).map_err(bad)?, "");
    let to = Repository::single(to.as_str().trim_end_matches('/'));
    let target = LayoutRegistry::new(parent);
    let stored = copy(store, repository, digest, &target, &to)?;
    match target.create_tag(&to, tag, &stored)? {
        Created::New => Ok(()),
        Created::Exists(there) if there == stored.digest => Ok(()),
        Created::Exists(_) => Err(Failure::request(
            format!("{name} has another image under the tag {tag}"),
            "name another tag: oci:FOLDER:TAG",
        )),
    }
}

/// Copies an image or an index with all that it names.
fn copy(
    store: &Store,
    repository: &Repository,
    digest: &Digest,
    target: &LayoutRegistry,
    to: &Repository,
) -> Result<Descriptor, Failure> {
    let (bytes, manifest) = manifest(store, repository, digest)?;
    let all = entries(&bytes)?;
    for (image, _) in &all {
        copy(store, repository, image, target, to)?;
    }
    let blobs = if all.is_empty() {
        blobs(&manifest)?
    } else {
        Vec::new()
    };
    for digest in blobs {
        if target.has_blob(to, &digest)? {
            continue;
        }
        let mut from = store.registry.blob(repository, &digest)?;
        let mut writer = target.begin_blob(to)?;
        let io = |source| Failure::Io {
            action: format!("copy blob {digest}"),
            source,
        };
        std::io::copy(&mut from, &mut writer).map_err(io)?;
        writer.finish()?;
    }
    let media_type = manifest["mediaType"]
        .as_str()
        .unwrap_or(crate::registry::MANIFEST);
    Ok(target.put_manifest(to, media_type, &bytes)?)
}

/// The archive's parts: layers uncompressed, as old docker versions want them.
fn archive(
    store: &Store,
    repository: &Repository,
    manifest: &Value,
    file: &PathBuf,
    name: &str,
) -> Result<(), Failure> {
    let io = |source| Failure::Io {
        action: format!("write {}", file.display()),
        source,
    };
    if file.exists() {
        return Err(Failure::request(
            format!("{} is there already", file.display()),
            "name another file",
        ));
    }
    let folder = file
        .parent()
        .filter(|f| !f.as_os_str().is_empty())
        .map_or_else(|| PathBuf::from("."), PathBuf::from);
    let temporary = tempfile::NamedTempFile::new_in(&folder).map_err(io)?;
    let mut tar = tar::Builder::new(temporary);
    let all = blobs(manifest)?;
    let (config, layers) = all
        .split_first()
        .ok_or_else(|| Failure::Bug("an image without config".into()))?;
    let document = store.registry.small_blob(repository, config, 4 << 20)?;
    let config_name = format!("{}.json", config.hex());
    append(&mut tar, &config_name, &document).map_err(io)?;
    let mut names = Vec::new();
    for layer in layers {
        let mut plain = tempfile::tempfile_in(&folder).map_err(io)?;
        unpack(store, repository, layer, &mut plain).map_err(io)?;
        let layer_name = format!("{}.tar", layer.hex());
        if !names.contains(&layer_name) {
            append_file(&mut tar, &layer_name, &mut plain).map_err(io)?;
        }
        names.push(layer_name);
    }
    let index = json!([{"Config": config_name, "RepoTags": [name], "Layers": names}]);
    append(&mut tar, "manifest.json", index.to_string().as_bytes()).map_err(io)?;
    let temporary = tar.into_inner().map_err(io)?;
    temporary.as_file().sync_all().map_err(io)?;
    temporary
        .persist_noclobber(file)
        .map_err(|error| io(error.error))?;
    Ok(())
}

fn unpack(store: &Store, repository: &Repository, layer: &Digest, to: &mut File) -> std::io::Result<()> {
    let mut from = store
        .registry
        .blob(repository, layer)
        .map_err(std::io::Error::other)?;
    let mut head = [0; 2];
    from.read_exact(&mut head)?;
    let whole = std::io::Cursor::new(head).chain(from);
    match head {
        [0x1f, 0x8b] => std::io::copy(&mut flate2::read::MultiGzDecoder::new(whole), to)?,
        _ => std::io::copy(&mut { whole }, to)?,
    };
    to.flush()
}

fn header(size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(0);
    header
}

fn append(tar: &mut tar::Builder<tempfile::NamedTempFile>, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    tar.append_data(&mut header(bytes.len() as u64), name, bytes)
}

fn append_file(
    tar: &mut tar::Builder<tempfile::NamedTempFile>,
    name: &str,
    file: &mut File,
) -> std::io::Result<()> {
    use std::io::Seek;
    let size = file.seek(std::io::SeekFrom::End(0))?;
    file.rewind()?;
    tar.append_data(&mut header(size), name, file)
}
