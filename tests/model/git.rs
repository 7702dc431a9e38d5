//! A project in a real git object store, without a working copy: commits, merges, cherry-picks.

use git2::{Oid, Repository, Signature, Time};
use ringshift::model::{CommitId, ImageName, Revision};
use ringshift::plan::{Commits, CommitsError, ImageSource, LostCommit, Sources};
use ringshift::state::Timestamp;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

pub struct Image {
    pub name: ImageName,
    pub deps: Vec<ImageName>,
}

pub struct Project {
    _dir: tempfile::TempDir,
    repo: Repository,
    pub images: Vec<Image>,
    pub root: ImageName,
    clock: Cell<i64>,
    pub branch: String,
    pub branches: BTreeMap<String, Oid>,
    pub labels: BTreeMap<String, Oid>,
}

impl Project {
    pub fn new(images: Vec<Image>, root: ImageName) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repository::init_bare(dir.path()).unwrap();
        let mut project = Self {
            _dir: dir,
            repo,
            images,
            root,
            clock: Cell::new(1_700_000_000),
            branch: "main".into(),
            branches: BTreeMap::new(),
            labels: BTreeMap::new(),
        };
        let mut files = vec![("NOTES".to_string(), Some("c0\n".to_string()))];
        for image in &project.images {
            files.push((
                format!("{}/Dockerfile", image.name),
                Some("FROM scratch\n".into()),
            ));
            files.push((format!("{}/src/keep", image.name), Some("keep\n".into())));
        }
        let tree = project.tree_with(None, &files);
        project.record("c0", tree, &[]);
        project
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
        let (ours, theirs) = (self.head(), self.branches[from]);
        let commit = |id| self.repo.find_commit(id).unwrap();
        let mut index = self
            .repo
            .merge_commits(&commit(ours), &commit(theirs), None)
            .unwrap();
        assert!(!index.has_conflicts(), "merge conflicts");
        let tree = index.write_tree_to(&self.repo).unwrap();
        if squash {
            self.record(label, tree, &[ours])
        } else {
            self.record(label, tree, &[ours, theirs])
        };
    }

    pub fn pick(&mut self, of: &str, label: &str, revert: bool) {
        let ours = self.repo.find_commit(self.head()).unwrap();
        let theirs = self.repo.find_commit(self.labels[of]).unwrap();
        let mut index = if revert {
            self.repo.revert_commit(&theirs, &ours, 0, None).unwrap()
        } else {
            self.repo.cherrypick_commit(&theirs, &ours, 0, None).unwrap()
        };
        assert!(!index.has_conflicts());
        let tree = index.write_tree_to(&self.repo).unwrap();
        let head = ours.id();
        drop((ours, theirs));
        self.record(label, tree, &[head]);
    }

    fn revision(&self, image: &ImageName, commit: Oid) -> Option<Revision> {
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

fn oid(id: &CommitId) -> Oid {
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
