//! A project in a real git repository: commits, merges, cherry-picks, with a working copy or without.

use git2::{Oid, Repository, Signature, Time};
use ringshift::model::{CommitId, ImageName, Revision, RingName};
use ringshift::plan::{Commits, CommitsError, ImageSource, LostCommit, Sources};
use ringshift::state::Timestamp;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub struct Image {
    pub name: ImageName,
    pub deps: Vec<ImageName>,
}

impl Image {
    /// From scratch, or from the first dependency; the further ones are copied from.
    fn container_file(&self) -> String {
        let mut deps = self.deps.iter();
        let mut text = match deps.next() {
            None => "FROM scratch\n".to_owned(),
            Some(base) => format!("FROM {PROJECT}/{base}\n"),
        };
        for dep in deps {
            text += &format!("COPY --from={PROJECT}/{dep} /{dep} /from-{dep}/\n");
        }
        text + &format!("COPY src /{}\n", self.name)
    }
}

/// The name in rings.yaml.
pub const PROJECT: &str = "acme/shop";

pub struct Project {
    _dir: Option<tempfile::TempDir>,
    repo: Repository,
    pub images: Vec<Image>,
    pub root: ImageName,
    clock: Cell<i64>,
    pub branch: String,
    pub branches: BTreeMap<String, Oid>,
    pub labels: BTreeMap<String, Oid>,
}

impl Project {
    /// A project whose repository has no working copy, and ends with it.
    pub fn new(images: Vec<Image>, root: ImageName, rings: &[RingName]) -> Self {
        let dir = crate::sandbox::temporary();
        let repo = Repository::init_bare(dir.path()).unwrap();
        Self::start(Some(dir), repo, images, root, rings)
    }

    /// A project with a working copy in an empty folder.
    pub fn laid(folder: &Path, images: Vec<Image>, root: ImageName, rings: &[RingName]) -> Self {
        let mut options = git2::RepositoryInitOptions::new();
        let repo = Repository::init_opts(folder, options.initial_head("main")).unwrap();
        Self::start(None, repo, images, root, rings)
    }

    fn start(
        dir: Option<tempfile::TempDir>,
        repo: Repository,
        images: Vec<Image>,
        root: ImageName,
        rings: &[RingName],
    ) -> Self {
        let mut project = Self {
            _dir: dir,
            repo,
            images,
            root,
            clock: Cell::new(crate::sandbox::EPOCH),
            branch: "main".into(),
            branches: BTreeMap::new(),
            labels: BTreeMap::new(),
        };
        let mut files = vec![
            ("NOTES".to_string(), Some("c0\n".to_string())),
            ("rings.yaml".to_string(), Some(project.config(rings))),
        ];
        for image in &project.images {
            files.push((format!("{}/Dockerfile", image.name), Some(image.container_file())));
            files.push((format!("{}/src/keep", image.name), Some("keep\n".into())));
        }
        let tree = project.tree_with(None, &files);
        project.record("c0", tree, &[]);
        project
    }

    fn config(&self, rings: &[RingName]) -> String {
        let rings: Vec<String> = rings.iter().map(|ring| format!("\"{ring}\"")).collect();
        let mut text = format!("project: {PROJECT}\nrings: [{}]\nimages:\n", rings.join(", "));
        for image in &self.images {
            let root = if image.name == self.root {
                ", root: true"
            } else {
                ""
            };
            text += &format!("  \"{0}\": {{context: \"{0}\"{root}}}\n", image.name);
        }
        text
    }

    /// Brings refs, HEAD and the working copy to where the branches are; nothing without one.
    fn publish(&self) {
        if self.repo.is_bare() {
            return;
        }
        let tree = self.repo.find_object(self.head(), None).unwrap();
        let mut checkout = git2::build::CheckoutBuilder::new();
        self.repo.checkout_tree(&tree, Some(checkout.force())).unwrap();
        for (name, at) in &self.branches {
            let name = format!("refs/heads/{name}");
            self.repo.reference(&name, *at, true, "").unwrap();
        }
        self.repo
            .set_head(&format!("refs/heads/{}", self.branch))
            .unwrap();
    }

    pub fn branch_at(&mut self, name: &str, label: &str) {
        self.branches.insert(name.into(), self.labels[label]);
        self.publish();
    }

    pub fn switch(&mut self, branch: &str) {
        self.branch = branch.into();
        self.publish();
    }

    pub fn head(&self) -> Oid {
        self.branches[&self.branch]
    }

    fn tree_with(&self, base: Option<Oid>, files: &[(String, Option<String>)]) -> Oid {
        let mut update = git2::build::TreeUpdateBuilder::new();
        for (path, content) in files {
            match content {
                Some(text) => {
                    update.upsert(
                        path.as_str(),
                        self.repo.blob(text.as_bytes()).unwrap(),
                        git2::FileMode::Blob,
                    );
                }
                None => {
                    update.remove(path.as_str());
                }
            }
        }
        let empty = || self.repo.treebuilder(None).unwrap().write().unwrap();
        let base = base.map_or_else(empty, |commit| self.repo.find_commit(commit).unwrap().tree_id());
        update
            .create_updated(&self.repo, &self.repo.find_tree(base).unwrap())
            .unwrap()
    }

    fn record(&mut self, label: &str, tree: Oid, parents: &[Oid]) -> Oid {
        self.clock.set(self.clock.get() + 60);
        let sig = Signature::new("Ada", "ada@example.com", &Time::new(self.clock.get(), 0)).unwrap();
        let parents: Vec<_> = parents
            .iter()
            .map(|p| self.repo.find_commit(*p).unwrap())
            .collect();
        let refs: Vec<_> = parents.iter().collect();
        let tree = self.repo.find_tree(tree).unwrap();
        let id = self.repo.commit(None, &sig, &sig, label, &tree, &refs).unwrap();
        self.branches.insert(self.branch.clone(), id);
        self.labels.insert(label.into(), id);
        self.publish();
        id
    }

    pub fn commit(&mut self, label: &str, edit: &BTreeMap<String, (Vec<String>, Vec<String>)>) {
        let mut files = Vec::new();
        for (image, (add, remove)) in edit {
            files.extend(
                add.iter()
                    .map(|t| (format!("{image}/src/{t}"), Some(format!("{t}\n")))),
            );
            files.extend(remove.iter().map(|t| (format!("{image}/src/{t}"), None)));
        }
        if files.is_empty() {
            files.push(("NOTES".into(), Some(format!("{label}\n"))));
        }
        let head = self.head();
        let tree = self.tree_with(Some(head), &files);
        self.record(label, tree, &[head]);
    }

    pub fn merge(&mut self, from: &str, label: &str, squash: bool) {
        assert!(self.try_merge(from, label, squash), "{from} does not merge");
    }

    pub fn pick(&mut self, of: &str, label: &str, revert: bool) {
        assert!(self.try_pick(of, label, revert), "{of} does not apply");
    }

    /// Merges; `false`, and nothing done, when that conflicts or there is nothing to merge.
    pub fn try_merge(&mut self, from: &str, label: &str, squash: bool) -> bool {
        let (ours, theirs) = (self.head(), self.branches[from]);
        if self.stands_on(ours, theirs) {
            return false;
        }
        let merged = self
            .repo
            .merge_commits(&self.at(ours), &self.at(theirs), None)
            .unwrap();
        match squash {
            true => self.record_merged(merged, label, &[ours]),
            false => self.record_merged(merged, label, &[ours, theirs]),
        }
    }

    /// Cherry-picks or reverts; `false`, and nothing done, when that conflicts or changes nothing.
    pub fn try_pick(&mut self, of: &str, label: &str, revert: bool) -> bool {
        let (ours, theirs) = (self.at(self.head()), self.at(self.labels[of]));
        if theirs.parent_count() != 1 {
            return false;
        }
        let picked = match revert {
            true => self.repo.revert_commit(&theirs, &ours, 0, None),
            false => self.repo.cherrypick_commit(&theirs, &ours, 0, None),
        };
        let head = ours.id();
        drop((ours, theirs));
        self.record_merged(picked.unwrap(), label, &[head])
    }

    fn at(&self, id: Oid) -> git2::Commit<'_> {
        self.repo.find_commit(id).unwrap()
    }

    fn record_merged(&mut self, mut merged: git2::Index, label: &str, parents: &[Oid]) -> bool {
        if merged.has_conflicts() {
            return false;
        }
        let tree = merged.write_tree_to(&self.repo).unwrap();
        if parents.len() == 1 && tree == self.at(parents[0]).tree_id() {
            return false;
        }
        self.record(label, tree, parents);
        true
    }

    /// The tokens of an image at a commit.
    pub fn tokens(&self, image: &ImageName, commit: Oid) -> BTreeSet<String> {
        let tree = self.at(commit).tree().unwrap();
        let source = tree.get_path(Path::new(&format!("{image}/src"))).unwrap();
        let source = self.repo.find_tree(source.id()).unwrap();
        let names = source.iter().map(|entry| entry.name().unwrap().to_owned());
        names.filter(|name| name != "keep").collect()
    }

    /// Whether `commit` is `ancestor` or stands on it.
    pub fn stands_on(&self, commit: Oid, ancestor: Oid) -> bool {
        commit == ancestor || self.repo.graph_descendant_of(commit, ancestor).unwrap()
    }

    pub fn first_parent(&self, commit: Oid) -> Option<Oid> {
        self.at(commit).parent_id(0).ok()
    }

    pub fn revision(&self, image: &ImageName, commit: Oid) -> Option<Revision> {
        let tree = self.repo.find_commit(commit).ok()?.tree().ok()?;
        let id = tree.get_name(image.as_str())?.id();
        Some(Revision::of(id.as_bytes()))
    }

    pub fn sources(&self, commit: Oid) -> Sources {
        let mut images = BTreeMap::new();
        for image in &self.images {
            let source = ImageSource {
                revision: self.revision(&image.name, commit).unwrap(),
                dependencies: image.deps.iter().cloned().collect(),
                dirty: false,
            };
            images.insert(image.name.clone(), source);
        }
        let mut order: Vec<ImageName> = Vec::new();
        while order.len() < self.images.len() - 1 {
            for image in &self.images {
                let ready = image.deps.iter().all(|d| order.contains(d));
                if image.name != self.root && ready && !order.contains(&image.name) {
                    order.push(image.name.clone());
                }
            }
        }
        order.push(self.root.clone());
        Sources {
            commit: id_of(commit),
            images,
            order,
            root: self.root.clone(),
            environments: None,
        }
    }

    fn only_in(&self, with: Oid, without: Oid) -> Vec<Oid> {
        let mut walk = self.repo.revwalk().unwrap();
        walk.push(with).unwrap();
        walk.hide(without).unwrap();
        walk.map(|id| id.unwrap())
            .filter(|id| self.repo.find_commit(*id).unwrap().parent_count() < 2)
            .collect()
    }

    fn patch(&self, commit: Oid) -> Oid {
        let commit = self.repo.find_commit(commit).unwrap();
        let old = commit.parent(0).ok().map(|p| p.tree().unwrap());
        let diff = self
            .repo
            .diff_tree_to_tree(old.as_ref(), Some(&commit.tree().unwrap()), None)
            .unwrap();
        diff.patchid(None).unwrap()
    }
}

pub fn id_of(oid: Oid) -> CommitId {
    oid.to_string().parse().unwrap()
}

pub fn oid(id: &CommitId) -> Oid {
    id.as_str().parse().unwrap()
}

impl Commits for Project {
    fn contains(&self, commit: &CommitId, ancestor: &CommitId) -> Result<bool, CommitsError> {
        let (a, b) = (oid(commit), oid(ancestor));
        Ok(a == b || self.repo.graph_descendant_of(a, b).unwrap())
    }

    fn lost(
        &self,
        image: &ImageName,
        theirs: &CommitId,
        ours: &CommitId,
    ) -> Result<Vec<LostCommit>, CommitsError> {
        let (theirs, ours) = (oid(theirs), oid(ours));
        let have: BTreeSet<Oid> = self
            .only_in(ours, theirs)
            .iter()
            .map(|c| self.patch(*c))
            .collect();
        let touches = |c: &Oid| {
            let parent = self.repo.find_commit(*c).unwrap().parent_id(0).ok();
            parent.is_none_or(|p| self.revision(image, p) != self.revision(image, *c))
        };
        let lost = self.only_in(theirs, ours).into_iter().filter(touches);
        Ok(lost
            .filter(|c| !have.contains(&self.patch(*c)))
            .map(|c| LostCommit {
                id: id_of(c),
                summary: self
                    .repo
                    .find_commit(c)
                    .unwrap()
                    .summary()
                    .unwrap()
                    .unwrap()
                    .into(),
                author: "Ada".into(),
                time: Timestamp(0),
            })
            .collect())
    }

    fn head(&self) -> Result<Option<CommitId>, CommitsError> {
        Ok(Some(id_of(Project::head(self))))
    }

    fn revision_at(&self, image: &ImageName, commit: &CommitId) -> Result<Option<Revision>, CommitsError> {
        Ok(self.revision(image, oid(commit)))
    }
}
