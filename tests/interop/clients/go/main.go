// Command interop is a relying party with golang.org/x/oauth2 and github.com/coreos/go-oidc: what an app in Go does, from discovery to
// logout. Neither package speaks of introspection or revocation.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

var replies = bufio.NewScanner(os.Stdin)

type metadata struct {
	Issuer     string   `json:"issuer"`
	Scopes     []string `json:"scopes_supported"`
	EndSession string   `json:"end_session_endpoint"`
}

func main() {
	log.SetFlags(0)
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	ctx, err := trusting(os.Getenv("LATCHKEY_CA"))
	if err != nil {
		return err
	}
	issuer, id := os.Getenv("LATCHKEY_ISSUER"), os.Getenv("LATCHKEY_CLIENT_ID")
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return err
	}
	var server metadata
	if err := provider.Claims(&server); err != nil {
		return err
	}
	done := []string{"discovery"}

	config := oauth2.Config{
		ClientID:     id,
		ClientSecret: os.Getenv("LATCHKEY_CLIENT_SECRET"),
		RedirectURL:  os.Getenv("LATCHKEY_REDIRECT_URI"),
		Endpoint:     provider.Endpoint(),
		Scopes:       []string{oidc.ScopeOpenID, "profile", "email"},
	}
	verifier, state, nonce := oauth2.GenerateVerifier(), random(), random()
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(verifier), oidc.Nonce(nonce)}
	for _, scope := range server.Scopes {
		if scope == oidc.ScopeOfflineAccess {
			config.Scopes = append(config.Scopes, scope)
			options = append(options, oauth2.SetAuthURLParam("prompt", "consent"))
		}
	}
	back, err := visit(config.AuthCodeURL(state, options...))
	if err != nil {
		return err
	}
	if back.Get("state") != state || back.Get("iss") != issuer {
		return fmt.Errorf("another answer than the one asked for: %v", back)
	}
	token, err := config.Exchange(ctx, back.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		return err
	}
	done = append(done, "code+PKCE", "state")

	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return errors.New("no ID token")
	}
	idToken, err := provider.Verifier(&oidc.Config{ClientID: id}).Verify(ctx, raw)
	if err != nil {
		return err
	}
	if idToken.Nonce != nonce {
		return errors.New("another nonce")
	}
	if err := idToken.VerifyAccessToken(token.AccessToken); err != nil {
		return err
	}
	done = append(done, "nonce", "id token")

	if err := sameSubject(ctx, provider, token, idToken.Subject); err != nil {
		return err
	}
	done = append(done, "userinfo")

	if token.RefreshToken != "" {
		spent := &oauth2.Token{RefreshToken: token.RefreshToken, Expiry: time.Unix(1, 0)}
		refreshed, err := config.TokenSource(ctx, spent).Token()
		if err != nil {
			return err
		}
		if refreshed.AccessToken == token.AccessToken {
			return errors.New("a refresh gave the same access token")
		}
		if err := sameSubject(ctx, provider, refreshed, idToken.Subject); err != nil {
			return err
		}
		done = append(done, "refresh")
	}

	goodbye := random()
	query := url.Values{"id_token_hint": {raw}, "post_logout_redirect_uri": {os.Getenv("LATCHKEY_GOODBYE_URI")}, "state": {goodbye}}
	left, err := visit(server.EndSession + "?" + query.Encode())
	if err != nil {
		return err
	}
	if left.Get("state") != goodbye {
		return errors.New("logout lost the state")
	}
	done = append(done, "logout")
	return say(map[string]any{"library": library(), "done": done})
}

// A context whose HTTP client trusts the authority in that file and no other.
func trusting(file string) (context.Context, error) {
	authority, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("no certificate in %s", file)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	return oidc.ClientContext(context.Background(), client), nil
}

func sameSubject(ctx context.Context, provider *oidc.Provider, token *oauth2.Token, subject string) error {
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return err
	}
	if info.Subject != subject {
		return errors.New("userinfo tells another sub")
	}
	return nil
}

func visit(address string) (url.Values, error) {
	if err := say(map[string]any{"open": address}); err != nil {
		return nil, err
	}
	if !replies.Scan() {
		return nil, errors.New("the browser did not come back")
	}
	back, err := url.Parse(replies.Text())
	if err != nil {
		return nil, err
	}
	return back.Query(), nil
}

func say(message any) error {
	return json.NewEncoder(os.Stdout).Encode(message)
}

func random() string {
	bytes := make([]byte, 24)
	if _, err := rand.Read(bytes); err != nil {
		log.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(bytes)
}

func library() string {
	info, _ := debug.ReadBuildInfo()
	words := ""
	for _, module := range info.Deps {
		switch module.Path {
		case "github.com/coreos/go-oidc/v3":
			words += "go-oidc " + module.Version[1:]
		case "golang.org/x/oauth2":
			words += ", x/oauth2 " + module.Version[1:]
		}
	}
	return words
}
