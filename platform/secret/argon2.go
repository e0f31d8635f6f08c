package secret

import (
	"encoding/binary"
	_ "unsafe" // for go:linkname
	"weak"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/blake2b"
)

// The library allocates 19 MiB for every hash, so that each is followed by a collection
// of everything that lives: half of what a sign-in costs beside its hash, and thirty
// megabytes at the worst. These are the parts of its IDKey; key puts them together
// around memory that is used again. A test compares the two.

//go:linkname initHash golang.org/x/crypto/argon2.initHash
func initHash(password, salt, key, data []byte, time, memory, threads, keyLen uint32, mode int) [blake2b.Size + 8]byte

//go:linkname blake2bHash golang.org/x/crypto/argon2.blake2bHash
func blake2bHash(out, in []byte)

//go:linkname processBlocks golang.org/x/crypto/argon2.processBlocks
func processBlocks(blocks []argonBlock, time, memory, threads uint32, mode int)

//go:linkname extractKey golang.org/x/crypto/argon2.extractKey
func extractKey(blocks []argonBlock, memory, threads, keyLen uint32) []byte

type argonBlock [128]uint64

const (
	variantID  = 2 // argon2id, by its number in RFC 9106
	syncPoints = 4 // slices of a pass
)

// argonMemory is the memory of one hash after the other, until the collector comes by
// while no hash is made.
type argonMemory struct{ last weak.Pointer[[]argonBlock] }

func (m *argonMemory) hash(password string, salt []byte, o *argon2id.Params) []byte {
	return m.key([]byte(password), salt, o.Iterations, o.Memory, o.Parallelism, o.KeyLength)
}

// key is argon2.IDKey. memory is in KiB.
func (m *argonMemory) key(password, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte {
	lanes := uint32(threads)
	h0 := initHash(password, salt, nil, nil, time, memory, lanes, keyLen, variantID)
	memory = max(memory/(syncPoints*lanes), 2) * syncPoints * lanes
	blocks := m.take(memory)
	defer m.put(blocks)
	for lane := range lanes {
		first := lane * (memory / lanes)
		binary.LittleEndian.PutUint32(h0[blake2b.Size+4:], lane)
		for i := range uint32(2) {
			binary.LittleEndian.PutUint32(h0[blake2b.Size:], i)
			(*blocks)[first+i].fill(h0[:])
		}
	}
	processBlocks(*blocks, time, memory, lanes, variantID)
	return extractKey(*blocks, memory, lanes, keyLen)
}

func (b *argonBlock) fill(seed []byte) {
	var bytes [1024]byte
	blake2bHash(bytes[:], seed)
	for i := range b {
		b[i] = binary.LittleEndian.Uint64(bytes[i*8:])
	}
}

// take returns n empty blocks.
func (m *argonMemory) take(n uint32) *[]argonBlock {
	if kept := m.last.Value(); kept != nil && uint32(len(*kept)) == n {
		return kept
	}
	blocks := make([]argonBlock, n)
	return &blocks
}

// put keeps blocks for the next hash, and nothing of this one.
func (m *argonMemory) put(blocks *[]argonBlock) {
	clear(*blocks)
	m.last = weak.Make(blocks)
}
