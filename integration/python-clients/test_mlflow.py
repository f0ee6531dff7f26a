"""MLflow with Moraine as its artifact store."""

import os

import pytest
from documented import documented_environment
from server import fresh_bucket, s3_client


@pytest.fixture
def mlflow(monkeypatch, tmp_path):
    for name, value in documented_environment('MLflow').items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv('MLFLOW_ALLOW_FILE_STORE', 'true')
    import mlflow

    mlflow.set_tracking_uri(f'file://{tmp_path}/runs')
    return mlflow


def test_artifacts(mlflow, tmp_path):
    bucket = fresh_bucket(s3_client(), 'mlflow')
    experiment = mlflow.create_experiment('stored', artifact_location=f's3://{bucket}/experiments')
    large = os.urandom(12 << 20)
    (tmp_path / 'model').mkdir()
    (tmp_path / 'model' / 'weights.bin').write_bytes(large)
    (tmp_path / 'model' / 'MLmodel').write_text('flavors: {}')
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_text('hello', 'notes/hello.txt')
        mlflow.log_dict({'a': 1}, 'params.json')
        mlflow.log_artifacts(str(tmp_path / 'model'), 'model')
    client = mlflow.MlflowClient()
    listed = {entry.path: entry.file_size for entry in client.list_artifacts(run.info.run_id, 'model')}
    assert listed == {'model/MLmodel': 11, 'model/weights.bin': len(large)}
    assert sorted(entry.path for entry in client.list_artifacts(run.info.run_id)) == ['model', 'notes', 'params.json']
    local = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path='model', dst_path=str(tmp_path))
    assert open(f'{local}/weights.bin', 'rb').read() == large
    assert mlflow.artifacts.load_text(f'{run.info.artifact_uri}/notes/hello.txt') == 'hello'
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    get_artifact_repository(run.info.artifact_uri).delete_artifacts('model')
    assert client.list_artifacts(run.info.run_id, 'model') == []
