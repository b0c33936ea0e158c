// The same job in Go with AWS's own SDK, as a yardstick for `npm run bench`: reads a SecretProviderClass, fetches its secrets
// in batches, and publishes the files by one rename of a symbolic link. No retries of its own, no checks, no messages.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"gopkg.in/yaml.v3"
)

type object struct {
	Name  string `yaml:"objectName"`
	Type  string `yaml:"objectType"`
	Alias string `yaml:"objectAlias"`
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("expected CONFIG DIRECTORY")
	}
	if err := run(context.Background(), os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, file, dir string) error {
	objects, err := readObjects(file)
	if err != nil {
		return err
	}
	// Pod Identity, IRSA, endpoints and AWS_CA_BUNDLE come from the environment.
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	values := map[string]string{}
	failures := make(chan error, len(objects))
	var lock sync.Mutex
	var wait sync.WaitGroup
	fetch := func(names []string, get func([]string) (map[string]string, error)) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			found, err := get(names)
			if err != nil {
				failures <- err
				return
			}
			lock.Lock()
			defer lock.Unlock()
			for name, value := range found {
				values[name] = value
			}
		}()
	}
	secrets, parameters := secretsmanager.NewFromConfig(cfg), ssm.NewFromConfig(cfg)
	for _, names := range chunks(namesOf(objects, "secretsmanager"), 20) {
		fetch(names, func(names []string) (map[string]string, error) { return getSecrets(ctx, secrets, names) })
	}
	for _, names := range chunks(namesOf(objects, "ssmparameter"), 10) {
		fetch(names, func(names []string) (map[string]string, error) { return getParameters(ctx, parameters, names) })
	}
	wait.Wait()
	close(failures)
	for err := range failures {
		return err
	}
	return publish(dir, objects, values)
}

func readObjects(file string) ([]object, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var class struct {
		Spec struct {
			Parameters struct {
				Objects string `yaml:"objects"`
			} `yaml:"parameters"`
		} `yaml:"spec"`
	}
	if err := yaml.Unmarshal(text, &class); err != nil {
		return nil, err
	}
	var objects []object
	return objects, yaml.Unmarshal([]byte(class.Spec.Parameters.Objects), &objects)
}

func getSecrets(ctx context.Context, client *secretsmanager.Client, names []string) (map[string]string, error) {
	found := map[string]string{}
	if len(names) == 1 {
		answer, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &names[0]})
		if err == nil {
			found[names[0]] = aws.ToString(answer.SecretString)
		}
		return found, err
	}
	answer, err := client.BatchGetSecretValue(ctx, &secretsmanager.BatchGetSecretValueInput{SecretIdList: names})
	if err != nil {
		return nil, err
	}
	for _, secret := range answer.SecretValues {
		found[*secret.Name] = aws.ToString(secret.SecretString)
	}
	return found, nil
}

func getParameters(ctx context.Context, client *ssm.Client, names []string) (map[string]string, error) {
	answer, err := client.GetParameters(ctx, &ssm.GetParametersInput{Names: names, WithDecryption: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, parameter := range answer.Parameters {
		found[*parameter.Name] = *parameter.Value
	}
	return found, nil
}

func publish(dir string, objects []object, values map[string]string) error {
	generation, err := os.MkdirTemp(dir, "..generation-")
	if err != nil {
		return err
	}
	if err := os.Chmod(generation, 0o755); err != nil {
		return err
	}
	for _, one := range objects {
		value, ok := values[one.Name]
		if !ok {
			return fmt.Errorf("no value of %s", one.Name)
		}
		if err := os.WriteFile(filepath.Join(generation, path(one)), []byte(value), 0o644); err != nil {
			return err
		}
	}
	next := filepath.Join(dir, "..data_tmp")
	if err := os.Symlink(filepath.Base(generation), next); err != nil {
		return err
	}
	if err := os.Rename(next, filepath.Join(dir, "..data")); err != nil {
		return err
	}
	for _, one := range objects {
		if err := os.Symlink(filepath.Join("..data", path(one)), filepath.Join(dir, path(one))); err != nil && !os.IsExist(err) {
			return err
		}
	}
	return nil
}

func path(one object) string {
	if one.Alias != "" {
		return one.Alias
	}
	return strings.ReplaceAll(one.Name, "/", "_")
}

func namesOf(objects []object, kind string) []string {
	var names []string
	for _, one := range objects {
		if one.Type == kind {
			names = append(names, one.Name)
		}
	}
	return names
}

func chunks(names []string, size int) [][]string {
	var parts [][]string
	for len(names) > size {
		parts = append(parts, names[:size])
		names = names[size:]
	}
	if len(names) > 0 {
		parts = append(parts, names)
	}
	return parts
}
