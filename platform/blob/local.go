package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/google/uuid"
)

// incoming is the folder of blobs that are not whole yet.
const incoming = ".incoming"

// local keeps blobs as files below one folder, which nothing can lead out of.
type local struct{ root *os.Root }

func newLocal(folder string) (*local, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of files: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("open the folder of files: %w", err)
	}
	return &local{root}, nil
}

// Put writes beside the blobs, and renames what is whole.
func (l *local) Put(ctx context.Context, key string, r io.Reader) error {
	from := &source{r: r}
	part := path.Join(incoming, uuid.NewString())
	err := l.write(part, from)
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err == nil {
		err = l.rename(part, key)
	}
	if err != nil {
		err = errors.Join(err, ignoreMissing(l.root.Remove(part)))
	}
	return from.failure(err)
}

func (l *local) write(name string, r io.Reader) (err error) {
	if err := l.root.MkdirAll(incoming, 0o700); err != nil {
		return err
	}
	f, err := l.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	return f.Sync()
}

func (l *local) rename(from, to string) error {
	for {
		if err := l.root.MkdirAll(path.Dir(to), 0o700); err != nil {
			return err
		}
		err := l.root.Rename(from, to)
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if _, gone := l.root.Stat(from); gone != nil {
			return err
		} // the folder was empty, and somebody has just removed it
	}
}

func (l *local) Open(_ context.Context, key string) (*Blob, error) {
	f, err := l.root.Open(key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, ErrUnavailable.Because(err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, ErrUnavailable.Because(errors.Join(err, f.Close()))
	}
	return &Blob{Info{key, info.Size(), info.ModTime()}, f}, nil
}

func (l *local) Move(_ context.Context, from, to string) error {
	err := l.rename(from, to)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	if err != nil {
		return ErrUnavailable.Because(err)
	}
	l.prune(path.Dir(from))
	return nil
}

func (l *local) Delete(_ context.Context, key string) error {
	if err := ignoreMissing(l.root.Remove(key)); err != nil {
		return ErrUnavailable.Because(err)
	}
	l.prune(path.Dir(key))
	return nil
}

// prune removes folders that are empty now.
func (l *local) prune(folder string) {
	for folder != "." && l.root.Remove(folder) == nil { // one that is not empty stays
		folder = path.Dir(folder)
	}
}

// staleAfter is when a part that nobody finished is nobody's any more.
const staleAfter = time.Hour

// Walk goes by the names of files. Parts that a stopped process has left are removed on the way.
func (l *local) Walk(ctx context.Context, prefix string, fn func(Info) error) error {
	if err := l.removeStale(); err != nil {
		return err
	}
	start := strings.TrimSuffix(prefix, "/")
	if start == "" {
		start = "."
	}
	return fs.WalkDir(l.root.FS(), start, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return ErrUnavailable.Because(err)
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir() && name == incoming:
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return ErrUnavailable.Because(err)
		}
		return fn(Info{name, info.Size(), info.ModTime()})
	})
}

func (l *local) removeStale() error {
	parts, err := fs.ReadDir(l.root.FS(), incoming)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, p := range parts {
		info, ierr := p.Info()
		if ierr == nil && time.Since(info.ModTime()) > staleAfter {
			err = errors.Join(err, ignoreMissing(l.root.Remove(path.Join(incoming, p.Name()))))
		}
	}
	if err != nil {
		return ErrUnavailable.Because(err)
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
