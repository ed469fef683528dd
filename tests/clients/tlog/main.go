// Checks Evident's log with the packages that Go's checksum database is made of: signed notes
// (golang.org/x/mod/sumdb/note) and tiled trees (golang.org/x/mod/sumdb/tlog).
//
//	tlog folder DIR KEY [WITNESS…]   a log that was published as static files, every entry of it
//	tlog inclusion PROOF KEY ENTRY   a proof (C2SP tlog-proof) that an entry is in the log
//	tlog growth PROOF KEY OLD NEW    that the tree of one checkpoint begins with that of another
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	var err error
	switch args := os.Args[1:]; {
	case len(args) >= 3 && args[0] == "folder":
		err = folder(args[1], args[2], args[3:])
	case len(args) == 4 && args[0] == "inclusion":
		err = inclusion(args[1], args[2], args[3])
	case len(args) == 5 && args[0] == "growth":
		err = growth(args[1], args[2], args[3], args[4])
	default:
		err = errors.New("folder DIR KEY [WITNESS…] | inclusion PROOF KEY ENTRY | growth PROOF KEY OLD NEW")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// checkpoint opens a signed checkpoint; every witness must have signed it, too.
func checkpoint(text []byte, vkey string, witnesses ...string) (tlog.Tree, error) {
	var tree tlog.Tree
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, err
	}
	verifiers := []note.Verifier{verifier}
	for _, witness := range witnesses {
		cosigner, err := newCosigner(witness)
		if err != nil {
			return tree, err
		}
		verifiers = append(verifiers, cosigner)
	}
	opened, err := note.Open(text, note.VerifierList(verifiers...))
	if err != nil {
		return tree, err
	}
	if len(opened.Sigs) != len(verifiers) {
		return tree, fmt.Errorf("%d of %d have signed", len(opened.Sigs), len(verifiers))
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tree, fmt.Errorf("no checkpoint of %s: %q", verifier.Name(), opened.Text)
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

// folder reads every entry of a published log, and authenticates each by the checkpoint.
func folder(dir, vkey string, witnesses []string) error {
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := checkpoint(text, vkey, witnesses...)
	if err != nil {
		return err
	}
	hashes := tlog.TileHashReader(tree, &tiles{dir})
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return errors.New("the tiles make another root")
	}
	for first := int64(0); first < tree.N; first += 256 {
		tile := tlog.Tile{H: 8, L: -1, N: first / 256, W: int(min(256, tree.N-first))}
		bundle, err := os.ReadFile(filepath.Join(dir, path(tile)))
		if err != nil {
			return err
		}
		for i := first; i < first+int64(tile.W); i++ {
			if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
				return fmt.Errorf("the bundle of entry %d breaks off", i)
			}
			length := int(binary.BigEndian.Uint16(bundle))
			entry := bundle[2 : 2+length]
			bundle = bundle[2+length:]
			stored, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, i)})
			if err != nil {
				return err
			}
			if stored[0] != tlog.RecordHash(entry) {
				return fmt.Errorf("entry %d is not the one of the tree", i)
			}
			position := fmt.Sprintf(`"position":%d,`, i+1)
			if !bytes.Contains(entry, []byte(position)) {
				return fmt.Errorf("entry %d does not say that it is at position %d", i, i+1)
			}
		}
		if len(bundle) != 0 {
			return fmt.Errorf("the bundle from entry %d on goes on behind its end", first)
		}
	}
	fmt.Printf("%d entries hold\n", tree.N)
	return nil
}

// inclusion checks a proof as C2SP tlog-proof has it.
func inclusion(file, vkey, entryFile string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	entry, err := os.ReadFile(entryFile)
	if err != nil {
		return err
	}
	head, rest, found := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("no proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	proof, err := parseHashes(lines[2:])
	if err != nil {
		return err
	}
	tree, err := checkpoint([]byte(rest), vkey)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

// growth checks that a tree begins with a smaller one.
func growth(file, vkey, oldFile, newFile string) error {
	var trees [2]tlog.Tree
	for i, name := range []string{oldFile, newFile} {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if trees[i], err = checkpoint(text, vkey); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	proof, err := parseHashes(strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"))
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, trees[1].N, trees[1].Hash, trees[0].N, trees[0].Hash)
}

func parseHashes(lines []string) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

// path is where C2SP tlog-tiles has a tile; Go's own layout names the height as well.
func path(tile tlog.Tile) string {
	_, rest, _ := strings.Cut(strings.TrimPrefix(tile.Path(), "tile/8/"), "/")
	level := strconv.Itoa(tile.L)
	if tile.L < 0 {
		level = "entries"
	}
	return "tile/" + level + "/" + rest
}

// tiles reads the hashes of a published log.
type tiles struct{ dir string }

func (t *tiles) Height() int                         { return 8 }
func (t *tiles) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		data, err := os.ReadFile(filepath.Join(t.dir, path(tile)))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// cosigner verifies what a witness signs (C2SP tlog-cosignature, Ed25519).
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func newCosigner(vkey string) (note.Verifier, error) {
	name, rest, _ := strings.Cut(vkey, "+")
	id, encoded, _ := strings.Cut(rest, "+")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != 4 {
		return nil, fmt.Errorf("%q is no key for cosignatures", vkey)
	}
	sum := sha256.Sum256(append([]byte(name+"\n"), key...))
	if hex.EncodeToString(sum[:4]) != id {
		return nil, fmt.Errorf("%q has another id", vkey)
	}
	return &cosigner{name, binary.BigEndian.Uint32(sum[:]), key[1:]}, nil
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }
func (c *cosigner) Verify(message, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	time := binary.BigEndian.Uint64(signature)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, message)
	return time > 0 && ed25519.Verify(c.key, []byte(signed), signature[8:])
}

func min(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}
