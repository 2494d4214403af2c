package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// unanswered is the status of a request that got none.
const unanswered = "unanswered"

// answer is what came of one request: its status, what was wrong, and whether its connection can't be used any more.
type answer struct {
	status, problem string
	broken          bool
}

// sender is one connection with one request in flight.
type sender interface {
	send(request []byte) answer
	redial() error
	close()
}

// httpSender writes whole HTTP/1.1 requests and reads as little of the answers as can be: Go's own client would cost
// more than some servers.
type httpSender struct {
	target     string
	wait       time.Duration
	connection net.Conn
	reader     *bufio.Reader
}

func dialHTTP(target string, wait time.Duration) (sender, error) {
	opened := &httpSender{target: target, wait: wait}
	return opened, opened.redial()
}

func (s *httpSender) redial() error {
	s.close()
	connection, err := net.DialTimeout("tcp", s.target, s.wait)
	if err != nil {
		return err
	}
	s.connection, s.reader = connection, bufio.NewReaderSize(connection, 16<<10)
	return nil
}

func (s *httpSender) close() {
	if s.connection != nil {
		s.connection.Close()
	}
}

func (s *httpSender) send(request []byte) answer {
	s.connection.SetDeadline(time.Now().Add(s.wait))
	// a server may refuse before it has read everything: then its answer counts, not that it took no more
	_, unsent := s.connection.Write(request)
	status, body, keep, err := readAnswer(s.reader)
	if err != nil {
		if unsent != nil {
			err = unsent
		}
		return answer{unanswered, err.Error(), true}
	}
	problem := ""
	if status != "200" {
		problem = strings.TrimSpace(string(body))
	}
	return answer{status, problem, !keep || unsent != nil}
}

// readAnswer returns an answer's status, the begin of its body unless that is 200, and whether the connection is kept.
func readAnswer(reader *bufio.Reader) (status string, body []byte, keep bool, err error) {
	lines := textproto.NewReader(reader)
	first, err := lines.ReadLine()
	if err != nil {
		return "", nil, false, err
	}
	version, rest, _ := strings.Cut(first, " ")
	status, _, _ = strings.Cut(rest, " ")
	if version != "HTTP/1.1" || len(status) != 3 {
		return "", nil, false, fmt.Errorf("an answer begins with %.60q, not HTTP/1.1", first)
	}
	length, chunked, keep := -1, false, true
	for {
		line, err := lines.ReadLineBytes()
		if err != nil {
			return "", nil, false, err
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 {
				return "", nil, false, fmt.Errorf("an answer has Content-Length %.60q", value)
			}
		case bytes.EqualFold(name, []byte("transfer-encoding")):
			chunked = bytes.EqualFold(value, []byte("chunked"))
		case bytes.EqualFold(name, []byte("connection")):
			keep = !bytes.EqualFold(value, []byte("close"))
		}
	}
	content := io.Reader(reader)
	switch {
	case chunked:
		return readChunks(lines, status, keep)
	case length >= 0:
		content = io.LimitReader(reader, int64(length))
	default:
		keep = false
	}
	body, copied, err := readBody(content, status)
	if err == nil && length >= 0 && copied < int64(length) {
		err = io.ErrUnexpectedEOF
	}
	return status, body, keep, err
}

func readChunks(lines *textproto.Reader, status string, keep bool) (string, []byte, bool, error) {
	var body []byte
	for {
		line, err := lines.ReadLine()
		if err != nil {
			return "", nil, false, err
		}
		digits, _, _ := strings.Cut(line, ";")
		size, err := strconv.ParseUint(strings.TrimSpace(digits), 16, 31)
		if err != nil {
			return "", nil, false, fmt.Errorf("a chunk begins with %.60q", line)
		}
		if size > 0 {
			part, copied, err := readBody(io.LimitReader(lines.R, int64(size)), status)
			if err != nil {
				return "", nil, false, err
			}
			if copied < int64(size) {
				return "", nil, false, io.ErrUnexpectedEOF
			}
			body = append(body, part...)
		}
		for { // what ends a chunk, or the trailers behind the last
			line, err := lines.ReadLine()
			if err != nil {
				return "", nil, false, err
			}
			if size > 0 || line == "" {
				break
			}
		}
		if size == 0 {
			return status, body, keep, nil
		}
	}
}

// readBody reads to the end; of what is not a 200 it keeps the begin, which says why.
func readBody(content io.Reader, status string) (begin []byte, copied int64, err error) {
	if status != "200" {
		if begin, err = io.ReadAll(io.LimitReader(content, 300)); err != nil {
			return begin, 0, err
		}
	}
	copied, err = io.Copy(io.Discard, content)
	return begin, copied + int64(len(begin)), err
}

// grpcSender calls ModelInfer over an HTTP/2 connection of its own.
type grpcSender struct {
	call   *url.URL
	wait   time.Duration
	client *http.Transport
}

var (
	inferPath   = "/inference.GRPCInferenceService/ModelInfer"
	grpcHeaders = http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}, "User-Agent": {"load"}}
	codes       = strings.Fields("OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS " +
		"PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL " +
		"UNAVAILABLE DATA_LOSS UNAUTHENTICATED")
)

func dialGRPC(target string, wait time.Duration) (sender, error) {
	probe, err := net.DialTimeout("tcp", target, wait) // or the first call would be what finds nobody there
	if err != nil {
		return nil, err
	}
	probe.Close()
	opened := &grpcSender{call: &url.URL{Scheme: "http", Host: target, Path: inferPath}, wait: wait}
	return opened, opened.redial()
}

func (s *grpcSender) redial() error {
	s.close()
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	s.client = &http.Transport{Protocols: protocols, DisableCompression: true}
	return nil
}

func (s *grpcSender) close() {
	if s.client != nil {
		s.client.CloseIdleConnections()
	}
}

func (s *grpcSender) send(message []byte) answer {
	context, cancel := context.WithTimeout(context.Background(), s.wait)
	defer cancel()
	prefix := make([]byte, 5) // not compressed, and the length
	binary.BigEndian.PutUint32(prefix[1:], uint32(len(message)))
	request := &http.Request{
		Method:        http.MethodPost,
		URL:           s.call,
		Header:        grpcHeaders,
		Body:          io.NopCloser(io.MultiReader(bytes.NewReader(prefix), bytes.NewReader(message))),
		ContentLength: int64(len(prefix) + len(message)),
	}
	response, err := s.client.RoundTrip(request.WithContext(context))
	if err != nil {
		return answer{unanswered, err.Error(), true}
	}
	_, err = io.Copy(io.Discard, response.Body)
	response.Body.Close()
	if err != nil {
		return answer{unanswered, err.Error(), true}
	}
	found := response.Trailer
	if response.Header.Get("grpc-status") != "" { // an answer without a message has its status there
		found = response.Header
	}
	code, err := strconv.Atoi(found.Get("grpc-status"))
	if err != nil || code < 0 || code >= len(codes) {
		return answer{unanswered, fmt.Sprintf("HTTP status %s without a status of gRPC", response.Status), true}
	}
	return answer{codes[code], found.Get("grpc-message"), false}
}
