//! `ringshift kustomize` against upstream's own test cases, against a real kustomize, and against
//! what it must refuse.

mod krusty;
